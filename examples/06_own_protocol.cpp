// A protocol of one's own in six lines: it builds, dissects, prints, expands and reads like a built-in one.
#include <sonde/sonde.hpp>

using namespace sonde;

struct Echo {  // 8-byte header carried by UDP port 4242
    field<std::uint16_t> token{}, kind = 1;
    field<std::uint32_t> cookie{};
};
SONDE_LAYER(Echo, token, kind, cookie)
SONDE_BIND(UDP, Echo, dport, 4242)

int main() {
    auto probes =
        IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / UDP{} / Echo{.token = range(1, 3), .cookie = 0xfeed};
    for (packet const& p : probes) fmt::print("{:command}\n", dissect(p.build(), link_type::ipv4));
}
