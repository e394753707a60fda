// Figures, by hand. In a lab (`sonde lab -- sonde-bench sr`), beside those of a plain C loop on the same
// sockets where `plain` is asked for; see docs/performance.md.
#include "bench.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr auto help = R"(Usage: sonde-bench WORK [ARGUMENTS]
  tx [--count N]   send N (262144) different SYNs to 198.18.0.0/15
  sr               one sr of 198.18.0.0/15, port 80
  sr1              the same targets, a coroutine each, 4096 at once
  rtt [N]          N (300) echoes to 198.18.0.9, one after another
  dissect FILE     every layer of every packet, a field of each
  craft            Ether/IP/TCP with checksums: from layers, and out of a set
  replay FILE [IFACE]
  sniff [IFACE [SECONDS]]
  scale [MOST]     10^3 to MOST (10^6) probes in flight, simulated
  count WORK N     the same N times, for instructions.py
  plain rtt|sr     what C makes of the same on the kernel's sockets
tx, sr, sr1 and rtt take --xdp: by AF_XDP instead of packet sockets; sr takes --threads N, a network each
)";

}  // namespace

int main(int argc, char** argv) try {
    std::vector<std::string> const words(argv + 1, argv + argc);
    static std::map<std::string_view, std::function<int(bench::arguments)>> const works = {
        {"tx", bench::tx},         {"sr", bench::sr},           {"sr1", bench::sr1},
        {"rtt", bench::rtt},       {"dissect", bench::dissect}, {"craft", bench::craft},
        {"replay", bench::replay}, {"sniff", bench::sniff},     {"scale", bench::scale},
        {"plain", bench::plain},   {"count", bench::count}};
    auto work = words.empty() ? works.end() : works.find(words.front());
    if (work != works.end()) return work->second(bench::arguments(words).subspan(1));
    fmt::print(stderr, "{}", help);
    return 2;
} catch (std::exception const& e) {
    fmt::print(stderr, "sonde-bench: {}\n", e.what());
    return 3;
}
