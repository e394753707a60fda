// An answering machine: answers ARP and echo requests for an address that nobody has. What comes in is a
// generator, what goes out is a send; here both stand on a simulated network.
#include <sonde/sim/simulation.hpp>
#include <sonde/sonde.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

/// The answer to a frame, if it asks for `address`.
std::optional<packet> answer(packet const& asked, ipv4 address, mac own) {
    if (auto const* arp = asked.find<ARP>(); arp && arp->op == 1 && arp->pdst == address)
        return Ether{.dst = arp->hwsrc.value(), .src = own} / ARP{.pdst = arp->psrc.value(),
                                                                  .op = 2,
                                                                  .psrc = address,
                                                                  .hwsrc = own,
                                                                  .hwdst = arp->hwsrc.value()};
    auto const* ip = asked.find<IP>();
    auto const* icmp = asked.find<ICMP>();
    if (!ip || !icmp || ip->dst != address || icmp->type != 8) return {};
    return Ether{.dst = asked.get<Ether>().src.value(), .src = own} /
           IP{.dst = ip->src.value(), .src = address} /
           ICMP{.type = 0, .id = icmp->id.value(), .seq = icmp->seq.value()};
}

asio::awaitable<int> respond(ipv4 address, mac own) {
    network net{co_await asio::this_coro::executor};
    int answered = 0;
    auto requests = net.sniff({.iface = "eth1", .filter = "arp or icmp", .timeout = 1s});
    while (auto p = co_await requests.next())
        if (auto a = answer(*p, address, own)) {
            co_await net.sendp(*a, {.iface = "eth1"});
            fmt::print("{} ==> {}\n", *p, *a);
            ++answered;
        }
    co_return answered;
}

int main() {
    simulation sim(1);
    mac stranger("02:00:00:00:00:07"), own("02:00:00:00:00:77");
    sim.inject(Ether{.dst = mac::broadcast(), .src = stranger} /
                   ARP{.pdst = "198.51.100.77", .psrc = "198.51.100.7", .hwsrc = stranger},
               10ms);
    sim.inject(Ether{.dst = own, .src = stranger} / IP{.dst = "198.51.100.77", .src = "198.51.100.7"} /
                   ICMP{.id = 7, .seq = 1},
               20ms);
    int answered = 0;
    sim.run([&]() -> asio::awaitable<void> { answered = co_await respond("198.51.100.77", own); });
    return answered == 2 ? 0 : 1;
}
