#include "bench.hpp"

#include <sonde/link/captured_frame.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <stdexcept>

namespace bench {

using namespace sonde;

namespace {

double per_item(steady::time_point begin, std::size_t items) {
    return seconds_since(begin) * 1e9 / static_cast<double>(std::max<std::size_t>(items, 1));
}

/// The first field of each layer.
std::uint64_t touch(packet const& p) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < p.layers().size(); ++i) sum += layer_view(p.view(), i).value(0).low;
    return sum;
}

double processor_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    auto seconds = [](timeval const& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::string const& first_of(arguments words, char const* what) {
    if (words.empty()) throw std::invalid_argument(std::string("missing: ") + what);
    return words[0];
}

}  // namespace

int dissect(arguments words) {
    capture_reader file(first_of(words, "FILE"));
    std::vector<captured_frame> frames;
    while (auto f = file.next()) frames.emplace_back(*f);
    std::uint64_t sum = 0;
    auto begin = steady::now();
    for (auto const& f : frames) sum += touch(sonde::dissect(f.bytes, f.type));
    fmt::print("ns_per_packet={:.1f} packets={} sum={:x}\n", per_item(begin, frames.size()), frames.size(),
               sum);
    return 0;
}

int craft(arguments) {
    constexpr std::uint32_t count = 262144;
    std::uint64_t octets = 0;
    auto begin = steady::now();
    for (std::uint32_t i = 0; i < count; ++i)
        octets += (Ether{.dst = mac("02:00:00:00:00:02"), .src = mac("02:00:00:00:00:01")} /
                   IP{.dst = ipv4(first_target + i), .src = ipv4(0xc6336401)} /
                   TCP{.dport = 80, .sport = 40000, .seq = i})
                      .build()
                      .size();
    auto layers = per_item(begin, count);
    packet set = Ether{.dst = mac("02:00:00:00:00:02"), .src = mac("02:00:00:00:00:01")} /
                 IP{.dst = "198.18.0.0/14", .src = ipv4(0xc6336401)} / TCP{.dport = 80, .sport = 40000};
    begin = steady::now();
    for (std::uint32_t i = 0; i < count; ++i) octets += set[i].build().size();
    auto of_set = per_item(begin, count);
    auto compiled = packet_template::of(set).value();
    random_source random(1);
    std::vector<std::byte> frame;
    begin = steady::now();
    for (std::uint32_t i = 0; i < count; ++i) {
        compiled.build(i, random, frame);
        octets += std::to_integer<std::uint64_t>(frame.back());
    }
    fmt::print("ns_per_packet={:.1f} template_ns={:.1f} set_ns={:.1f} octets={}\n", layers,
               per_item(begin, count), of_set, octets);
    return 0;
}

int replay(arguments words) {
    auto path = first_of(words, "FILE");
    std::string iface = words.size() > 1 ? words[1] : "";
    run([](std::string from, std::string over) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        co_await net.sendp(read_pcap(from), {.iface = over}, asio::use_awaitable);
    }(path, iface));
    return 0;
}

int sniff(arguments words) {
    std::string iface = words.empty() ? "" : words[0];
    auto seconds = words.size() > 1 ? number(words[1]) : 2;
    std::uint64_t seen = 0, dropped = 0;
    auto used = processor_seconds();
    auto begin = steady::now();
    run([&](std::string on) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto packets = net.sniff({.iface = on, .filter = "ip", .timeout = std::chrono::seconds(seconds)});
        while (auto p = co_await packets.next()) do
                ++seen;
            while ((p = packets.try_next()));
        dropped = packets.report().kernel_drops;
    }(iface));
    fmt::print("pps={:.0f} dropped={} cpu_ns={:.0f}\n", static_cast<double>(seen) / seconds_since(begin),
               dropped,
               (processor_seconds() - used) * 1e9 / static_cast<double>(std::max<std::uint64_t>(seen, 1)));
    return 0;
}

}  // namespace bench
