#pragma once

#include "support/hex.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/match.hpp>

#include <string>

// Verdicts on pairs of packets, as a run comes to them.
namespace support {

inline sonde::packet read(std::string const& text, sonde::link_type link) {
    return sonde::dissect(sonde::parse_packet(text).build(), link);
}

/// "yes", or why not; an answer must have its probe's key.
inline std::string verdict_on(sonde::packet const& sent, sonde::packet const& received,
                              bool relaxed = false) {
    auto probe = sent.view();
    probe.relaxed = relaxed;
    probe.to_many = sonde::goes_to_many(probe);
    auto v = sonde::match(received.view(), probe);
    if (v.value != sonde::match_verdict::yes) return v.why;
    sonde::secret_key const secret{1, 2};
    auto keys = sonde::keys_of_answer(received.view(), secret, relaxed);
    return keys.contain(sonde::key_of_probe(probe, secret, probe.to_many), probe.to_many)
               ? "yes"
               : "an answer without the probe's key";
}
inline std::string verdict(std::string const& sent, std::string const& received,
                           sonde::link_type link = sonde::link_type::raw) {
    return verdict_on(read(sent, link), read(received, link));
}
inline std::string verdict_of_hex(std::string_view sent, std::string_view received,
                                  sonde::link_type link = sonde::link_type::raw) {
    return verdict_on(sonde::dissect(bytes(sent), link), sonde::dissect(bytes(received), link));
}

/// Between two hosts, in IP or IPv6.
/// @{
inline std::string there(std::string const& layers) {
    return "IP(src='192.0.2.1', dst='198.51.100.9')/" + layers;
}
inline std::string back(std::string const& layers) {
    return "IP(src='198.51.100.9', dst='192.0.2.1')/" + layers;
}
inline std::string there6(std::string const& layers) {
    return "IPv6(src='fe80::1', dst='fe80::9', hlim=255)/" + layers;
}
inline std::string back6(std::string const& layers, int hlim = 255) {
    return "IPv6(src='fe80::9', dst='fe80::1', hlim=" + std::to_string(hlim) + ")/" + layers;
}
/// @}

}  // namespace support
