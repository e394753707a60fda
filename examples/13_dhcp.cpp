// Asks for addresses: a broadcast that each DHCP server may answer. The servers here are simulated; on a real
// network the coroutine is the same.
#include <sonde/sim/simulation.hpp>
#include <sonde/sonde.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<int> discover() {
    network net{co_await asio::this_coro::executor};
    packet question = Ether{.dst = "ff:ff:ff:ff:ff:ff"} / IP{.dst = "255.255.255.255", .src = "0.0.0.0"} /
                      UDP{.dport = 67, .sport = 68} / BOOTP{.chaddr = "\x02\x01\x01\x01\x01\x01"} /
                      DHCP{.options = "[('message-type','discover'),'end']"};
    int offers = 0;
    auto answers = net.srp(question, {.timeout = 2s, .iface = "eth1", .multi = true});
    while (auto x = co_await answers.next()) {
        fmt::print("{} offers {}\n", x->received.get<IP>().src, x->received.get<BOOTP>().yiaddr);
        ++offers;
    }
    co_return offers;
}

host server(std::string own, std::string offered) {
    host h;
    h.script = [own, offered](packet const& p, replies& out) {
        if (!p.has<BOOTP>()) return false;
        auto const& asked = p.get<BOOTP>();
        out.send(IP{.dst = "255.255.255.255", .src = own} / UDP{.dport = 68, .sport = 67} /
                 BOOTP{.chaddr = asked.chaddr.value(), .xid = asked.xid.value(), .op = 2, .yiaddr = offered} /
                 DHCP{.options = "[('message-type','offer'),'end']"});
        return true;
    };
    return h;
}

int main() {
    simulation sim(1);
    sim.add("198.51.100.9", server("198.51.100.9", "198.51.100.70"));
    sim.add("198.51.100.10", server("198.51.100.10", "198.51.100.80"));
    int offers = 0;
    sim.run([&]() -> asio::awaitable<void> { offers = co_await discover(); });
    return offers == 2 ? 0 : 1;
}
