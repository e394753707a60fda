// Names in DNS messages as pointers to where they stood before.

#include <sonde/layers/dns.hpp>

#include "dns_message.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;
using namespace detail;

/// Writes a message again, section by section; each `…` takes a part of the old one and tells where it ended,
/// 0 where it cannot be read.
class compressor {
public:
    explicit compressor(header message) : message_(message), out_(text_of(message.first(message_fixed))) {}

    std::optional<std::string> run() {
        std::size_t at = message_fixed;
        for (auto s : {section::questions, section::answers, section::authorities, section::additional})
            for (auto n = number16(message_, 4 + 2 * static_cast<std::size_t>(s)); n > 0; --n) {
                at = s == section::questions ? question(at) : record(at);
                if (at == 0) return {};
            }
        if (at != message_.size()) return {};
        return std::move(out_);
    }

private:
    std::size_t name(std::size_t at) {
        auto read = read_domain_name(message_, at);
        if (!read) return 0;
        auto wire = write_domain_name(read->text);
        for (std::string_view rest = wire; rest.size() > 1;) {
            if (auto known = places_.find(rest); known != places_.end()) {
                put16(out_, pointer | known->second);
                return read->size;
            }
            if (out_.size() < pointer_limit) places_.emplace(rest, out_.size());
            auto label = rest.substr(0, 1 + static_cast<std::size_t>(static_cast<unsigned char>(rest[0])));
            out_ += label;
            rest.remove_prefix(label.size());
        }
        out_ += '\0';
        return read->size;
    }

    std::size_t question(std::size_t at) {
        auto fixed = name(at);
        if (fixed == 0 || fixed + 4 > message_.size()) return 0;
        out_ += text_of(message_.subspan(fixed, 4));
        return fixed + 4;
    }

    std::size_t record(std::size_t at) {
        auto end = record_end(message_, at);
        auto fixed = end ? name(at) : 0;
        if (fixed == 0) return 0;
        out_ += text_of(message_.subspan(fixed, 8));
        auto length_at = out_.size();
        put16(out_, 0);
        if (!data(fixed + record_fixed, end, number16(message_, fixed))) return 0;
        auto length = out_.size() - length_at - 2;
        out_[length_at] = static_cast<char>(length >> 8), out_[length_at + 1] = static_cast<char>(length);
        return end;
    }

    bool data(std::size_t at, std::size_t end, unsigned type) {
        auto const layout = layout_of_data(type);
        auto whole = expanded_data(message_, at, end, type);
        if (!whole) return false;
        if (!layout.compresses) return out_ += *whole, true;
        out_ += text_of(message_.subspan(at, layout.before));
        at += layout.before;
        for (auto names = layout.names; names > 0; --names)
            if ((at = name(at)) == 0) return false;
        out_ += text_of(message_.subspan(at, end - at));
        return true;
    }

    static constexpr std::size_t pointer = 0xc000, pointer_limit = 0x4000;
    header message_;
    std::string out_;
    std::map<std::string, std::size_t, std::less<>> places_;  // of names, and of what they end with
};

}  // namespace

packet dns_compress(packet const& whole) {
    packet const p(whole);  // NOLINT(performance-unnecessary-copy-initialization): a copy has no edits
    if (p.is_template()) throw_error(errc::not_a_single_value, "dns_compress: a set of packets");
    std::vector<std::byte> bytes;
    std::vector<layer_span> layers;
    for (std::size_t i = 0; i < p.layers().size(); ++i) {
        layer_view v(p.view(), i);
        auto h = v.header();
        auto origin = std::min(v.description().hooks.origin, h.size());
        std::optional<std::string> message;
        if (v.is<DNS>() && h.size() - origin >= message_fixed) message = compressor(h.subspan(origin)).run();
        auto& span = layers.emplace_back(v.span());
        span.begin = static_cast<std::uint32_t>(bytes.size());
        auto kept = message ? h.first(origin) : h;
        bytes.insert(bytes.end(), kept.begin(), kept.end());
        if (message) {
            auto compressed = std::as_bytes(std::span(*message));
            bytes.insert(bytes.end(), compressed.begin(), compressed.end());
        }
        span.end = static_cast<std::uint32_t>(bytes.size());
    }
    return packet::from_parts(std::move(bytes), std::move(layers));
}

}  // namespace sonde::inline v0
