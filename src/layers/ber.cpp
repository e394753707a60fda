#include "ber.hpp"

#include <algorithm>
#include <charconv>

namespace sonde::inline v0::detail {
namespace {

using octets = std::span<std::byte const>;

unsigned octet(octets bytes, std::size_t i) {
    return std::to_integer<unsigned>(bytes[i]);
}

}  // namespace

std::optional<ber_value> read_ber(octets bytes) {
    constexpr unsigned long_tag = 0x1f, long_length = 0x80, most_octets = 4;
    if (bytes.size() < 2 || (octet(bytes, 0) & long_tag) == long_tag) return {};
    std::size_t length = octet(bytes, 1), head = 2;
    if (length >= long_length) {
        auto n = length - long_length;
        if (n == 0 || n > most_octets || bytes.size() < head + n) return {};
        for (length = 0; n > 0; --n) length = length << 8 | octet(bytes, head++);
    }
    if (length > bytes.size() - head) return {};
    return ber_value{octet(bytes, 0), head, bytes.subspan(head, length)};
}

std::optional<ber_value> read_ber(octets bytes, unsigned place) {
    auto whole = read_ber(bytes);
    if (!whole) return {};
    for (auto rest = whole->contents;; --place) {
        auto value = read_ber(rest);
        if (!value || place == 0) return value;
        rest = rest.subspan(value->size());
    }
}

bool consists_of(octets contents, std::span<unsigned const> tags) {
    for (auto tag : tags) {
        auto value = read_ber(contents);
        if (!value || (tag != 0 && value->tag != tag)) return false;
        contents = contents.subspan(value->size());
    }
    return contents.empty();
}

std::string ber_head(unsigned tag, std::size_t size) {
    std::string length;
    for (auto rest = size; rest > 0; rest >>= 8) length.insert(length.begin(), static_cast<char>(rest));
    std::string head{static_cast<char>(tag)};
    if (size < 0x80) return head + static_cast<char>(size);
    return head + static_cast<char>(0x80 | length.size()) + length;
}

std::string ber_integer(std::uint64_t low, bool negative) {
    auto sign = static_cast<char>(negative ? 0xff : 0);
    std::string out{sign};
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(low >> shift);
    // The first nine bits of the shortest form are not all the same.
    std::size_t spare = 0;
    while (spare + 1 < out.size() && out[spare] == sign && ((out[spare + 1] ^ sign) & 0x80) == 0) ++spare;
    return out.substr(spare);
}

std::optional<ber_number> read_ber_integer(octets contents) {
    if (contents.empty()) return {};
    ber_number n{0, (octet(contents, 0) & 0x80) != 0};
    auto filler = n.negative ? 0xffu : 0u;
    auto rest = contents;
    while (rest.size() > 8 && octet(rest, 0) == filler) rest = rest.subspan(1);
    if (rest.size() > 8 || (n.negative && (octet(rest, 0) & 0x80) == 0)) return {};
    n.low = n.negative ? ~std::uint64_t(0) : 0;
    for (std::size_t i = 0; i < rest.size(); ++i) n.low = n.low << 8 | octet(rest, i);
    return n;
}

std::optional<std::string> read_ber_oid(octets contents) {
    std::string text;
    std::uint64_t arc = 0;
    bool inside = false;
    for (auto b : contents) {
        if (arc >> 57) return {};
        arc = arc << 7 | (std::to_integer<unsigned>(b) & 0x7f);
        inside = (std::to_integer<unsigned>(b) & 0x80) != 0;
        if (inside) continue;
        if (text.empty()) {  // the first number holds two arcs, of which the first is at most 2
            auto first = arc < 80 ? arc / 40 : 2;
            text = std::to_string(first);
            arc -= 40 * first;
        }
        text += '.' + std::to_string(arc);
        arc = 0;
    }
    if (inside) return {};
    return text;
}

std::optional<std::string> ber_oid(std::string_view text) {
    while (text.starts_with('.')) text.remove_prefix(1);
    while (text.ends_with('.')) text.remove_suffix(1);
    std::string out;
    std::uint64_t first = 0;
    for (std::size_t place = 0; !text.empty(); ++place) {
        std::uint64_t arc = 0;
        auto point = std::min(text.find('.'), text.size());
        auto [end, failed] = std::from_chars(text.begin(), text.begin() + point, arc);
        if (failed != std::errc() || end != text.begin() + point) return {};
        text.remove_prefix(std::min(point + 1, text.size()));
        if (place == 0 && !text.empty()) {
            if (arc > 1000) return {};
            first = 40 * arc;
            continue;
        }
        if (place == 1 && __builtin_add_overflow(arc, first, &arc)) return {};
        std::string number{static_cast<char>(arc & 0x7f)};
        while (arc >>= 7) number.insert(number.begin(), static_cast<char>(0x80 | (arc & 0x7f)));
        out += number;
    }
    return out;
}

}  // namespace sonde::inline v0::detail
