// Probes take no port that the kernel gives to the host's own sockets.
#include "net_namespace.hpp"
#include "support/catch.hpp"
#include "support/run.hpp"

#include <sonde/sonde.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

using ports = std::set<unsigned>;

sockaddr_in loopback(unsigned port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(static_cast<std::uint16_t>(port));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

unsigned port_of(int fd) {
    sockaddr_in a{};
    socklen_t size = sizeof a;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size);
    return ntohs(a.sin_port);
}

/// Sockets of the host, connected to a listener of its own: the kernel chooses their ports.
class host_sockets {
public:
    host_sockets() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        ::listen(listener_, 1024);
    }
    ~host_sockets() {
        for (int fd : connected_) ::close(fd);
        ::close(listener_);
    }
    void connect(int count, int type) {
        for (int i = 0; i < count; ++i) {
            int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
            auto to = loopback(port_of(listener_));
            REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
            connected_.push_back(fd);
            taken.insert(port_of(fd));
        }
    }
    ports taken;

private:
    int listener_;
    std::vector<int> connected_;
};

asio::awaitable<void> probe_beside_sockets(unsigned first, unsigned last) {
    host_sockets host;
    host.connect(150, SOCK_STREAM);
    network net{co_await asio::this_coro::executor};
    auto scan = net.sr(IP{.dst = "127.0.0.1"} / TCP{.dport = range(1, 2000)}, {.timeout = 1s});
    ports used;
    while (auto x = co_await scan.next()) {
        used.insert(x->sent.get<TCP>().sport.value());
        if (used.size() % 20 == 0) host.connect(1, used.size() % 40 ? SOCK_STREAM : SOCK_DGRAM);
    }
    CHECK(used.size() > 1900);  // ports rest before they are used again
    CHECK(host.taken.size() > 200);
    CHECK(*used.begin() >= first);
    CHECK(*used.rbegin() <= last);
    for (auto p : host.taken)
        if (used.contains(p)) FAIL("port " << p << " has a probe and a socket");
}

}  // namespace

TEST_CASE("Probes and the host's own sockets share no port, whatever range the host gives to these",
          "[lab][net]") {
    struct row {
        char const* automatic;
        char const* reserved;
        unsigned first, last;
    };
    for (auto const& [automatic, reserved, first, last] :
         {row{"32768 60999", "", 1024, 32767}, row{"1024 20000", "", 20001, 65535},
          row{"1024 65535", "30000-39999", 30000, 39999}}) {
        INFO(automatic << ", reserved: " << reserved);
        net_lab::own_network network;
        net_lab::sysctl("net.ipv4.ip_local_port_range", automatic);
        net_lab::sysctl("net.ipv4.ip_local_reserved_ports", reserved);
        support::run([&] { return probe_beside_sockets(first, last); });
    }
}
