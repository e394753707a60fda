#pragma once

#include "lab/link_support.hpp"

#include <sonde/packet/checksum.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

// Frames of TCP and UDP, octet by octet: what an XDP program looks at.
namespace sonde::test {

constexpr std::uint8_t syn = 2, rst = 4, psh = 8, ack = 16;

struct segment {
    bool v6 = false, udp = false;
    std::uint8_t flags = 0;
    std::uint16_t sport = 0, dport = 0;
    std::uint8_t from = 2, to = 1;  // the last octet of the addresses, 198.18.0.x or 2001:db8::x
    mac source{}, destination{};
    std::string tags = "", options = "";  // in hex
    std::uint16_t fragment = 0;           // IPv4's flags and offset
    std::string extension = "";  // an IPv6 header before the transport's, in hex; its first octet is set
    std::uint8_t extension_type = 0;
    std::size_t padding = 10;  // octets of payload
};

inline void append(bytes& to, bytes const& what) {
    to.insert(to.end(), what.begin(), what.end());
}

/// The segment as a frame, with its checksums.
inline bytes frame_of(segment const& s) {
    bytes f;
    for (auto m : {s.destination, s.source})
        for (auto o : m.octets) f.push_back(static_cast<std::byte>(o));
    append(f, from_hex(s.tags));
    append_number(f, s.v6 ? 0x86dd : 0x0800, 2);
    auto const protocol = s.udp ? 17u : 6u;
    auto const carried = (s.udp ? 8 : 20) + s.padding;
    auto options = from_hex(s.options), extension = from_hex(s.extension);
    auto const ip = f.size();
    std::size_t addresses;
    if (s.v6) {
        append_number(f, 0x60000000, 4);
        append_number(f, static_cast<std::uint32_t>(carried + extension.size()), 2);
        append_number(f, extension.empty() ? protocol : s.extension_type, 1);
        append_number(f, 64, 1);
        addresses = f.size();
        for (auto last : {s.from, s.to})
            append(f, from_hex("20010db80000000000000000000000")), append_number(f, last, 1);
        if (!extension.empty()) extension[0] = static_cast<std::byte>(protocol);
        append(f, extension);
    } else {
        auto const header = 20 + options.size();
        append_number(f, static_cast<std::uint32_t>(0x4000 + header / 4 * 0x100), 2);
        append_number(f, static_cast<std::uint32_t>(header + carried), 2);
        append_number(f, 1, 2);
        append_number(f, s.fragment, 2);
        append_number(f, 64 * 256 + protocol, 2);
        append_number(f, 0, 2);
        addresses = f.size();
        for (auto last : {s.from, s.to}) append_number(f, 0xc6120000u + last, 4);
        append(f, options);
        internet_checksum sum;
        sum.add(std::span(f).subspan(ip, header));
        auto value = sum.finish();
        f[ip + 10] = static_cast<std::byte>(value >> 8), f[ip + 11] = static_cast<std::byte>(value);
    }
    auto const at = f.size();
    append_number(f, s.sport, 2);
    append_number(f, s.dport, 2);
    if (s.udp) {
        append_number(f, static_cast<std::uint32_t>(carried), 2);
        append_number(f, 0, 2);
    } else {
        append_number(f, 1, 4);
        append_number(f, 1, 4);
        append_number(f, 0x5000u + s.flags, 2);
        append_number(f, 8192, 2);
        append_number(f, 0, 4);
    }
    for (std::size_t i = 0; i < s.padding; ++i) f.push_back(std::byte{0x55});
    internet_checksum sum;
    sum.add(std::span(f).subspan(addresses, s.v6 ? 32 : 8));
    sum.add16(static_cast<std::uint16_t>(protocol));
    sum.add16(static_cast<std::uint16_t>(carried));
    sum.add(std::span(f).subspan(at));
    auto value = sum.finish();
    auto field = at + (s.udp ? 6 : 16);
    f[field] = static_cast<std::byte>(value >> 8), f[field + 1] = static_cast<std::byte>(value);
    return f;
}

}  // namespace sonde::test
