#include "udp_payloads.hpp"

#include <sonde/packet/expression.hpp>

#include <map>
#include <string>

namespace sonde::inline v0::tools {
namespace {

struct service {
    std::uint16_t port;
    char const* question;
};

// Questions that any server of the protocol answers and that change nothing. Bytes, not layers: whatever
// comes back shows that the port is open.
constexpr service services[] = {
    {53, "DNS(id=0x5353, rd=1, qd=DNSQR(qname='.', qtype='NS'))"},
    {123, "NTP(version=4, mode=3, stratum=0, ref=0, orig=0, recv=0, sent=1)"},
    {137, "NBNSHeader(NAME_TRN_ID=0x5353)/NBNSNodeStatusRequest()"},
    {161,
     "SNMP(version=1, community='public', PDU=SNMPget(id=1, "
     "varbindlist=[SNMPvarbind(oid='1.3.6.1.2.1.1.1.0')]))"},
    {5353, "DNS(id=0, rd=0, qd=DNSQR(qname='_services._dns-sd._udp.local.', qtype='PTR'))"},
};

std::map<std::uint16_t, std::string> const& payloads() {
    static auto const all = [] {
        std::map<std::uint16_t, std::string> built;
        for (auto const& s : services) {
            auto bytes = parse_packet(s.question).build();
            built[s.port] = std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        }
        return built;
    }();
    return all;
}

}  // namespace

std::string_view udp_payload(std::uint16_t port) {
    auto found = payloads().find(port);
    return found == payloads().end() ? std::string_view() : found->second;
}

}  // namespace sonde::inline v0::tools
