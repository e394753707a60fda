// The same work N times and no more, for what counts instructions from outside (instructions.py): time
// depends on the machine, these hardly.
#include "bench.hpp"

#include <sonde/sim/simulation.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <new>
#include <stdexcept>
#include <string_view>

namespace {

std::uint64_t allocations = 0;  // of the whole program, which has one thread

}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* room = std::malloc(size)) return room;
    throw std::bad_alloc();
}
void operator delete(void* room) noexcept {
    std::free(room);
}
void operator delete(void* room, std::size_t) noexcept {
    std::free(room);
}

namespace bench {
namespace {

using namespace sonde;
using namespace std::chrono_literals;

std::uint64_t sink = 0;  // what is computed is not left out

packet probe(std::uint32_t i) {
    return Ether{.dst = mac("02:00:00:00:00:02"), .src = mac("02:00:00:00:00:01")} /
           IP{.dst = ipv4(first_target + i), .src = ipv4(0xc6336401)} /
           TCP{.dport = 80, .sport = 40000, .seq = i};
}

void build(std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) sink += probe(i).build().size();
}

void build_of_set(std::uint32_t n) {
    packet const set = Ether{.dst = mac("02:00:00:00:00:02"), .src = mac("02:00:00:00:00:01")} /
                       IP{.dst = "198.18.0.0/15", .src = ipv4(0xc6336401)} / TCP{.dport = 80, .sport = 40000};
    for (std::uint32_t i = 0; i < n; ++i) sink += set[i].build().size();
}

void build_of_template(std::uint32_t n) {
    auto const compiled =
        packet_template::of(Ether{.dst = mac("02:00:00:00:00:02"), .src = mac("02:00:00:00:00:01")} /
                            IP{.dst = "198.18.0.0/15", .src = ipv4(0xc6336401)} /
                            TCP{.dport = 80, .sport = 40000})
            .value();
    random_source random(1);
    std::vector<std::byte> frame;
    for (std::uint32_t i = 0; i < n; ++i) {
        compiled.build(i, random, frame);
        sink += std::to_integer<std::uint64_t>(frame.back());
    }
}

void dissect_all(std::uint32_t n) {
    auto const frame = probe(0).build();
    for (std::uint32_t i = 0; i < n; ++i) {
        auto p = sonde::dissect(frame);
        for (std::size_t l = 0; l < p.layers().size(); ++l) sink += layer_view(p.view(), l).value(0).low;
    }
}

void match_all(std::uint32_t n) {
    auto const sent = sonde::dissect(
        (IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / TCP{.dport = 80, .sport = 4000, .seq = 7}).build(),
        link_type::ipv4);
    auto const reply = sonde::dissect((IP{.dst = "198.51.100.1", .src = "198.18.0.1"} /
                                       TCP{.dport = 4000, .sport = 80, .flags = "SA", .ack = 8})
                                          .build(),
                                      link_type::ipv4);
    for (std::uint32_t i = 0; i < n; ++i) {
        if (match(reply.view(), sent.view()).value != match_verdict::yes)
            throw std::logic_error("the answer does not match");
        sink += keys_of_answer(reply.view(), {i, 1}).count;
    }
}

/// Each sent, answered and delivered; with what the simulated hosts do.
void probe_all(std::uint32_t n) {
    simulation sim(1);
    sim.add("10.0.0.0/8", {.tcp = {80}});
    sim.run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto answers =
            net.sr(packet_set(IP{.dst = "10.0.0.0/8"} / TCP{.dport = 80}) | take(n), {.timeout = 1s});
        std::uint32_t answered = 0;
        while (auto x = co_await answers.next()) ++answered;
        if (answered != n) throw std::logic_error("not all are answered");
    });
}

/// The same with the kernel's own answers, on the loopback interface: nothing here but what the library does.
void probe_kernel(std::uint32_t n) {
    run([](std::uint32_t all) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        net.allow("127.0.0.0/8");
        auto set = packet_set(IP{.dst = "127.0.0.0/8"} / TCP{.dport = 9}) | drop(1) | take(all);
        auto answers = net.sr(set, {.timeout = 1s, .retry = 3, .window = 64});
        std::uint32_t answered = 0;
        while (auto x = co_await answers.next()) ++answered;
        if (answered != all) throw std::runtime_error(fmt::format("{} of {} are answered", answered, all));
    }(n));
}

}  // namespace

int count(arguments words) {
    static std::map<std::string_view, std::function<void(std::uint32_t)>> const works = {
        {"build", build},         {"set", build_of_set}, {"template", build_of_template},
        {"dissect", dissect_all}, {"match", match_all},  {"sr", probe_all},
        {"kernel", probe_kernel}};
    auto work = words.size() == 2 ? works.find(words[0]) : works.end();
    if (work == works.end())
        throw std::invalid_argument("count: build|set|template|dissect|match|sr|kernel N");
    auto before = allocations;
    work->second(static_cast<std::uint32_t>(number(words[1])));
    fmt::print("allocations={} sum={}\n", allocations - before, sink);
    return 0;
}

}  // namespace bench
