#include "support/frame_properties.hpp"

#include "support/hex.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/json.hpp>
#include <sonde/packet/text.hpp>

#include <algorithm>

namespace sonde::test {
namespace {

constexpr std::size_t most_layers = 32;

/// A header of one byte may print as a line for each of its bits; names and nesting must not multiply.
constexpr std::size_t text_bound(std::size_t frame_size) {
    return (std::size_t(64) << 10) + 64 * frame_size;
}

std::string hex_of(std::span<std::byte const> frame) {
    constexpr std::size_t most = 4096;
    return support::hex(frame.first(std::min(frame.size(), most)));
}

}  // namespace

void check_layers(packet const& p, std::size_t frame_size) {
    auto layers = p.layers();
    if (layers.size() > most_layers) throw violation(fmt::format("{} layers", layers.size()));
    std::size_t end = 0;
    for (auto const& l : layers) {
        if (l.begin != end || l.end < l.begin || l.end > frame_size)
            throw violation(fmt::format("{} lies from {} to {} of {}, the layer before ends at {}",
                                        l.layer->name, l.begin, l.end, frame_size, end));
        if (l.automatic != 0)
            throw violation(fmt::format("{} of a frame has automatic fields", l.layer->name));
        end = l.end;
    }
    if (end != frame_size) throw violation(fmt::format("the layers end at {} of {}", end, frame_size));
}

void check_printable(std::string_view what, std::string_view text) {
    auto bad = std::ranges::find_if(text, [](char c) { return (c < 0x20 || c >= 0x7f) && c != '\n'; });
    if (bad != text.end())
        throw violation(fmt::format("{} holds the octet {:#x}", what, static_cast<unsigned char>(*bad)));
}

void check_text(packet const& p, std::size_t frame_size) {
    auto check = [&](std::string_view what, std::string const& text) {
        check_printable(what, text);
        if (text.size() > text_bound(frame_size))
            throw violation(fmt::format("{} of {} bytes about a frame of {}", what, text.size(), frame_size));
    };
    check("summary", summary(p));
    check("show", show(p));
    check("hexdump", hexdump(p.view().bytes));
    check("json", to_json(p));
}

void check_expression(packet const& p, std::span<std::byte const> frame) {
    if (frame.empty()) return;  // no layers, so no expression
    auto text = command(p);
    check_printable("command", text);
    std::vector<std::byte> again;
    try {
        again = parse_packet(text).build();
    } catch (error const& e) {
        throw violation(fmt::format("{:.4000}\n  is not read back: {}", text, e.what()));
    }
    if (!std::ranges::equal(again, frame))
        throw violation(
            fmt::format("{:.4000}\n  builds {}\n  not    {}", text, hex_of(again), hex_of(frame)));
}

void check_frame(std::span<std::byte const> frame, link_type link) try {
    auto p = dissect(frame, link);
    check_layers(p, frame.size());
    if (!std::ranges::equal(p.build(), frame)) throw violation("an untouched dissection builds other bytes");
    check_text(p, frame.size());
    check_expression(p, frame);
} catch (violation const& v) {
    throw violation(
        fmt::format("link type {}, frame {}\n  {}", static_cast<unsigned>(link), hex_of(frame), v.what()));
}

}  // namespace sonde::test
