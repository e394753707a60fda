#include "echo.hpp"

#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>

namespace sonde::inline v0::detail {
namespace {

template <auto Member>
bool is_chosen(layer_view const& v) {
    return !(v.span().automatic >> field_index<Member> & 1);
}

/// The first field of the header that the socket would not send as it is; empty when there is none.
std::string_view chosen_in_v4(layer_view const& ip) {
    constexpr unsigned only_df = 2;
    if (ip.span().size() != 20 || is_chosen<&IP::ihl>(ip)) return "IP.options";
    if (ip.get<&IP::version>() != 4) return "IP.version";
    if (is_chosen<&IP::id>(ip)) return "IP.id";
    if (is_chosen<&IP::len>(ip)) return "IP.len";
    if (is_chosen<&IP::chksum>(ip)) return "IP.chksum";
    if (is_chosen<&IP::proto>(ip) && ip.get<&IP::proto>() != 1) return "IP.proto";
    if (ip.get<&IP::frag>() != 0) return "IP.frag";
    if (ip.get<&IP::flags>() & ~only_df) return "IP.flags";
    if (is_chosen<&IP::ttl>(ip) && ip.get<&IP::ttl>() == 0) return "IP.ttl";
    return {};
}

std::string_view chosen_in_v6(layer_view const& ip) {
    if (ip.get<&IPv6::version>() != 6) return "IPv6.version";
    if (ip.get<&IPv6::fl>() != 0) return "IPv6.fl";
    if (is_chosen<&IPv6::plen>(ip)) return "IPv6.plen";
    if (is_chosen<&IPv6::nh>(ip) && ip.get<&IPv6::nh>() != 58) return "IPv6.nh";
    return {};
}

template <class L>
std::string_view chosen_in_echo(layer_view const& icmp) = delete;

template <>
std::string_view chosen_in_echo<ICMP>(layer_view const& icmp) {
    if (icmp.get<&ICMP::code>() != 0) return "ICMP.code";
    return is_chosen<&ICMP::chksum>(icmp) ? "ICMP.chksum" : "";
}

template <>
std::string_view chosen_in_echo<ICMPv6EchoRequest>(layer_view const& icmp) {
    if (icmp.get<&ICMPv6EchoRequest::code>() != 0) return "ICMPv6EchoRequest.code";
    return is_chosen<&ICMPv6EchoRequest::cksum>(icmp) ? "ICMPv6EchoRequest.cksum" : "";
}

template <class L>
echo_request request_of(layer_view const& icmp, std::string_view obstacle) {
    echo_request r{.obstacle = obstacle.empty() ? chosen_in_echo<L>(icmp) : obstacle};
    if (!is_chosen<&L::id>(icmp)) return r;
    r.id = icmp.get<&L::id>();
    if (r.id == 0 && r.obstacle.empty()) r.obstacle = "an ICMP id of 0";
    return r;
}

}  // namespace

std::optional<echo_request> as_echo_request(outgoing const& packet) {
    layer_view ip(packet.view(), 0);
    auto icmp = ip ? ip.upper() : layer_view();
    if (ip.is<IP>() && icmp.is<ICMP>() && icmp.get<&ICMP::type>() == 8)
        return request_of<ICMP>(icmp, chosen_in_v4(ip));
    if (ip.is<IPv6>() && icmp.is<ICMPv6EchoRequest>() && icmp.get<&ICMPv6EchoRequest::type>() == 128)
        return request_of<ICMPv6EchoRequest>(icmp, chosen_in_v6(ip));
    return {};
}

}  // namespace sonde::inline v0::detail
