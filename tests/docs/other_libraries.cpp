// The sonde side of docs/from-other-libraries.md, as it stands there, on the simulated lab.
#include "docs/support.hpp"

#include <cstdio>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

TEST_CASE("From other libraries: make a packet, look at it, ask with it, listen, read a file") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        packet p = IP{.dst = "198.18.0.1"} / TCP{.dport = 80, .flags = "S"};
        auto bytes = p.build();
        std::uint16_t port = p.get<TCP>().dport;
        CHECK(bytes.size() == 40);
        CHECK(port == 80);

        auto x = co_await net.sr1(p, {.timeout = 1s});
        if (x && x->received.has<TCP>()) fmt::print("{}\n", x->received);
        CHECK(x);

        auto capture = net.sniff({.iface = "eth1", .filter = "tcp port 80", .count = 2});
        co_await net.sr1(p);
        capture_writer file(docs::temporary("some.pcap"));
        while (auto seen = co_await capture.next()) {
            fmt::print("{} > {}\n", seen->get<IP>().src, seen->get<IP>().dst);
            file.append(*seen);
        }
        file.close();
    });
    auto path = docs::temporary("some.pcap");
    int packets = 0;
    for (packet const& p : read_pcap(path))
        if (auto const* tcp = p.find<TCP>()) packets += tcp->dport == 80;
    CHECK(packets == 1);
    std::remove(path.c_str());
}
