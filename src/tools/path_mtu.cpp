#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/tools/traceroute.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace sonde::inline v0::tools {
namespace {

namespace asio = boost::asio;

packet whole_echo(ip_address const& target, unsigned size) {
    std::string const payload(size - (target.is_v6() ? 48 : 28), '\0');
    if (target.is_v6()) return IPv6{.dst = target.v6()} / ICMPv6EchoRequest{.data = payload};
    return IP{.dst = target.v4(), .flags = "DF"} / ICMP{} / packet(payload);
}

/// The size that a router says would get through; 0 when it says nothing.
unsigned size_told(packet const& received) {
    if (auto const* icmp = received.find<ICMP>(); icmp && icmp->type == 3 && icmp->code == 4)
        return icmp->nexthopmtu.value();
    if (auto const* big = received.find<ICMPv6PacketTooBig>()) return big->mtu.value();
    return 0;
}

}  // namespace

asio::awaitable<unsigned> path_mtu(network& net, ip_address target, unsigned at_most,
                                   std::chrono::nanoseconds timeout, if_name iface) {
    constexpr unsigned smallest = 68, largest = 65535;  // RFC 791 §3.1, §3.2
    at_most = std::min(at_most, largest);
    unsigned good = 0, bad = at_most + 1, size = at_most;
    while (good + 1 < bad && size >= smallest) {
        auto probe = whole_echo(target, size);
        sr_options const how{.timeout = timeout, .retry = 1, .iface = iface};
        error_code ec;
        auto x = co_await net.sr1(std::move(probe), how, asio::redirect_error(asio::use_awaitable, ec));
        if (ec && ec != errc::message_too_long) throw boost::system::system_error(ec);
        bool through = x && x->outcome().what == probe_outcome::kind::answered;
        (through ? good : bad) = size;
        auto told = x && !through ? size_told(x->received) : 0;
        size = told > good && told < bad ? told : good + (bad - good) / 2;
    }
    co_return good;
}

}  // namespace sonde::inline v0::tools
