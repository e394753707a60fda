#pragma once

#include "support/hex.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/match.hpp>
#include <sonde/packet/text.hpp>

#include <algorithm>

namespace support {

/// The packet as it would come in from the wire.
inline sonde::packet built(sonde::packet const& p) {
    return sonde::dissect(p.build(), sonde::link_type::raw);
}

/// "yes", or why the reply is no answer; an answer must have one of the keys of its probe.
inline std::string verdict(sonde::packet const& reply, sonde::packet const& sent) {
    auto r = built(reply), s = built(sent);
    auto v = sonde::match(r.view(), s.view());
    if (v.value != sonde::match_verdict::yes) return v.why;
    sonde::secret_key const secret{1, 2};
    auto keys = sonde::keys_of_answer(r.view(), secret);
    bool found = false;
    for (bool many : {false, true})
        for (auto reach : {sonde::key_reach::ports, sonde::key_reach::above})
            found |= keys.contain(sonde::key_of_probe(s.view(), secret, many, reach), many);
    return found ? "yes" : "an answer without the probe's key";
}

/// What is thrown instead of a value: its text, behind it that of its code without its place in the
/// documentation.
template <class Make>
std::string refusal_of(Make const& make) {
    try {
        (void)make();
    } catch (sonde::error const& e) {
        std::string const text = e.what(), code = e.code().message();
        return text.substr(0, text.rfind(": ")) + ": " + code.substr(0, code.find(" ["));
    }
    return "made";
}

/// The bytes from `offset` on.
inline std::string hex_behind(sonde::packet const& p, std::size_t offset) {
    return hex(p).substr(2 * offset);
}

/// True when the bytes come back from their dissection, and from its command.
inline bool comes_back(std::span<std::byte const> bytes) {
    auto p = sonde::dissect(bytes, sonde::link_type::raw);
    return std::ranges::equal(p.build(), bytes) &&
           (bytes.empty() || std::ranges::equal(sonde::parse_packet(sonde::command(p)).build(), bytes));
}

/// Every cut of the packet, and every change of an octet to 0, 1, 0x7f, 0x80 and 0xff and to its neighbours:
/// the number of those that do not come back.
inline int lost_cuts_and_changes(sonde::packet const& p, std::size_t from) {
    int lost = 0;
    auto bytes = p.build();
    for (std::size_t size = 0; size < bytes.size(); ++size) lost += !comes_back(std::span(bytes).first(size));
    for (auto i = from; i < bytes.size(); ++i) {
        auto const original = bytes[i];
        auto octet = std::to_integer<unsigned>(original);
        for (unsigned changed : {0u, 1u, 0x7fu, 0x80u, 0xffu, octet + 1, octet - 1}) {
            bytes[i] = static_cast<std::byte>(changed);
            lost += !comes_back(bytes);
        }
        bytes[i] = original;
    }
    return lost;
}

}  // namespace support
