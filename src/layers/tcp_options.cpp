#include <sonde/layers/tcp.hpp>

#include "../packet/reading.hpp"

#include <array>

namespace sonde::inline v0 {
namespace {

using detail::fail;

/// How an option's data reads: numbers of these widths in octets, or bytes.
struct option_kind {
    std::uint8_t kind;
    std::string_view name;
    std::array<std::uint8_t, 2> widths{};  // 0: no number here
    std::uint8_t padded = 0;  // data given as bytes is padded or cut to this length, as Scapy does
};

/// Scapy 2.5's names (IANA "TCP Option Kind Numbers").
constexpr option_kind kinds[] = {{0, "EOL"},
                                 {1, "NOP"},
                                 {2, "MSS", {2}},
                                 {3, "WScale", {1}},
                                 {4, "SAckOK"},
                                 {5, "SAck"},
                                 {8, "Timestamp", {4, 4}},
                                 {14, "AltChkSum", {1, 2}},
                                 {15, "AltChkSumOpt"},
                                 {19, "MD5", {}, 16},
                                 {25, "Mood"},
                                 {28, "UTO", {2}},
                                 {29, "AO"},
                                 {34, "TFO", {4, 4}}};
constexpr std::uint8_t eol = 0, nop = 1, sack = 5;

template <class Wanted>
option_kind const* find(Wanted const& wanted) {
    for (auto const& k : kinds) {
        if constexpr (std::is_integral_v<Wanted>) {
            if (k.kind == wanted) return &k;
        } else if (k.name == wanted) {
            return &k;
        }
    }
    return nullptr;
}

// --- bytes to list ---------------------------------------------------------------------------------

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t n = 0;
    for (char c : bytes) n = n << 8 | static_cast<unsigned char>(c);
    return n;
}

literal one_or_tuple(std::vector<literal> numbers) {
    if (numbers.size() == 1) return std::move(numbers.front());
    return literal::tuple{std::move(numbers)};
}

literal print_data(option_kind const& k, std::string_view data) {
    std::vector<literal> numbers;
    if (k.kind == sack && data.size() % 4 == 0) {
        for (; !data.empty(); data.remove_prefix(4)) numbers.push_back(big_endian(data.substr(0, 4)));
        return one_or_tuple(std::move(numbers));
    }
    if (k.widths[0] == 0 || data.size() != std::size_t(k.widths[0] + k.widths[1]))
        return literal::bytes{std::string(data)};
    for (auto width : k.widths) {
        if (width > 0) numbers.push_back(big_endian(data.substr(0, width)));
        data.remove_prefix(width);
    }
    return one_or_tuple(std::move(numbers));
}

literal entry(literal name, literal value) {
    return literal::tuple{{std::move(name), std::move(value)}};
}

literal print_option(std::uint8_t kind, std::string_view data) {
    auto const* k = find(kind);
    // MD5 of another length than 16 would not read back under its name.
    if (!k || (k->padded && data.size() != k->padded))
        return entry(std::uint64_t(kind), literal::bytes{std::string(data)});
    return entry(k->name, print_data(*k, data));
}

bool is_padding(std::string_view after_eol) {
    return after_eol.size() < 4 && after_eol.find_first_not_of('\0') == after_eol.npos;
}

literal print(std::span<std::byte const> bytes, std::span<std::byte const>) {
    std::string_view rest(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    literal::list list;
    while (!rest.empty()) {
        auto kind = static_cast<std::uint8_t>(rest[0]);
        std::size_t length = kind <= nop ? 1 : rest.size() < 2 ? 0 : static_cast<std::uint8_t>(rest[1]);
        if (kind > nop && (length < 2 || length > rest.size())) break;
        if (kind <= nop)
            list.items.push_back(entry(find(kind)->name, {}));
        else
            list.items.push_back(print_option(kind, rest.substr(2, length - 2)));
        rest.remove_prefix(length);
        if (kind == eol) {
            if (is_padding(rest)) rest = {};
            break;
        }
    }
    if (!rest.empty()) list.items.emplace_back(literal::bytes{std::string(rest)});
    return list;
}

// --- list to bytes ---------------------------------------------------------------------------------

void append_number(std::string& out, literal const& value, unsigned width, std::string_view name) {
    auto const* n = value.as<std::uint64_t>();
    if (!n) fail(errc::bad_text, value, "TCP option {} takes numbers, not {}", name, detail::kind_of(value));
    if (width < 8 && *n >> 8 * width)
        fail(errc::value_out_of_range, value, "TCP option {} cannot hold {} (largest {})", name, *n,
             (std::uint64_t(1) << 8 * width) - 1);
    for (unsigned i = width; i-- > 0;) out += static_cast<char>(*n >> 8 * i);
}

std::string read_numbers(option_kind const& k, literal const& value) {
    static constexpr std::size_t any = ~std::size_t(0);
    std::span<literal const> numbers(&value, 1);
    if (auto const* t = value.as<literal::tuple>()) numbers = t->items;
    if (auto const* l = value.as<literal::list>()) numbers = l->items;
    std::size_t wanted = k.kind == sack ? any : k.widths[1] ? 2 : k.widths[0] ? 1 : 0;
    if (wanted == 0)
        fail(errc::bad_text, value, "TCP option {} takes bytes, not {}", k.name, detail::kind_of(value));
    if (wanted != any && numbers.size() != wanted)
        fail(errc::bad_text, value, "TCP option {} takes {} numbers, not {}", k.name, wanted, numbers.size());
    std::string data;
    for (std::size_t i = 0; i < numbers.size(); ++i)
        append_number(data, numbers[i], k.kind == sack ? 4 : k.widths[i], k.name);
    return data;
}

std::string read_data(option_kind const* k, literal const& value) {
    if (auto const* b = detail::octets_of(value)) {
        std::string data(*b);
        if (k && k->padded) data.resize(k->padded);
        return data;
    }
    if (value.as<literal::none>()) return {};
    if (!k) fail(errc::bad_text, value, "a TCP option by number takes bytes, not {}", detail::kind_of(value));
    return read_numbers(*k, value);
}

[[noreturn]] void unknown_option(literal const& at, std::string_view name) {
    std::vector<std::string_view> names;
    for (auto const& k : kinds) names.push_back(k.name);
    fail(errc::bad_text, at, "no TCP option \"{}\"{}; others go by number: (254, b'..')", escape(name),
         detail::did_you_mean(name, names));
}

void read_option(literal const& name, literal const& value, std::string& out) {
    option_kind const* k = nullptr;
    std::uint64_t kind = 0;
    if (auto const* text = name.as<std::string>()) {
        k = find(std::string_view(*text));
        if (!k) unknown_option(name, *text);
        kind = k->kind;
    } else if (auto const* n = name.as<std::uint64_t>(); n && *n <= 255) {
        kind = *n;
    } else {
        fail(errc::bad_text, name, "a TCP option begins with its name or its number up to 255");
    }
    out += static_cast<char>(kind);
    if (kind <= nop) return;
    auto data = read_data(k, value);
    if (data.size() > 253) fail(errc::header_too_long, value, "TCP option data of {} bytes", data.size());
    out += static_cast<char>(2 + data.size());
    out += data;
}

std::string read(literal const& value, literal::call const*) {
    auto const* list = value.as<literal::list>();
    if (!list) fail(errc::bad_text, value, "TCP options are a list: [(\"MSS\", 1460), (\"NOP\", None)]");
    std::string out;
    for (auto const& item : list->items) {
        std::span<literal const> pair;
        if (auto const* t = item.as<literal::tuple>()) pair = t->items;
        if (auto const* l = item.as<literal::list>()) pair = l->items;
        if (auto const* b = item.as<literal::bytes>())
            out += b->value;
        else if (pair.size() == 2)
            read_option(pair[0], pair[1], out);
        else
            fail(errc::bad_text, item, "a TCP option is (name, value) or bytes, not {}",
                 detail::kind_of(item));
    }
    return out;
}

}  // namespace

option_codec const& tcp_options::codec() {
    static constexpr option_codec codec{.print = print, .read = read};
    return codec;
}

}  // namespace sonde::inline v0
