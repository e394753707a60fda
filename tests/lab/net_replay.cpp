// A capture replayed from both sides of what lies between.
#include "net_namespace.hpp"
#include "support/catch.hpp"
#include "support/command.hpp"
#include "support/run.hpp"

#include <sonde/sonde.hpp>
#include <sonde/tools/replay.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include <unistd.h>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

constexpr auto client = "198.18.0.1", server = "198.18.0.2";

packet frame(packet const& inside) {
    return Ether{.dst = "02:00:00:00:00:02", .src = "02:00:00:00:00:01"} / inside;
}
packet up(std::string_view flags, std::uint16_t sport = 40000) {
    return frame(IP{.dst = server, .src = client} / TCP{.dport = 80, .sport = sport, .flags = flags});
}
packet down(std::string_view flags, std::uint16_t dport = 40000) {
    return frame(IP{.dst = client, .src = server} / TCP{.dport = dport, .sport = 80, .flags = flags});
}

/// A handshake, and a conversation that the "server" begins; each packet two milliseconds after the last.
/// The letters are the sides: c and s.
struct session {
    std::vector<packet> packets;
    std::string sides;
};
session recorded(unsigned rounds) {
    session s;
    auto add = [&](char side, packet p) {
        p.time = timestamp(1000s) + 2ms * static_cast<int>(s.packets.size());
        s.packets.push_back(std::move(p));
        s.sides += side;
    };
    for (unsigned i = 0; i < rounds; ++i) {
        auto port = static_cast<std::uint16_t>(40000 + i);
        add('c', up("S", port));
        add('s', down("SA", port));
        add('c', up("A", port));
        add('s', down("PA", port));
        add('s', down("FA", port));
        add('c', up("FA", port));
        add('c', frame(IP{.dst = client, .src = server} / UDP{.dport = 514, .sport = port} / "log"));
        add('s', frame(IP{.dst = server, .src = client} / UDP{.dport = port, .sport = 514} / "ok"));
        add('c', frame(Raw{"no addresses at all"}));
    }
    return s;
}

struct seen {
    std::vector<std::byte> bytes;
    timestamp time;
    char side;
};

/// What came out at the far ends, in the order in which it did.
asio::awaitable<std::vector<seen>> replayed(std::string const& path, tools::replay_options o,
                                            address_set servers, tools::replay_report& report) {
    network net{co_await asio::this_coro::executor};
    auto a = net.sniff({.iface = "fara", .timeout = 3s}), b = net.sniff({.iface = "farb", .timeout = 3s});
    o.iface = "neara", o.iface2 = "nearb";
    tools::replay run(net, path, o, {}, std::move(servers));
    report = co_await run.run();
    std::vector<seen> all;
    for (auto [stream, side] : {std::pair(&a, 'c'), {&b, 's'}})
        while (auto p = stream->try_next())
            if (p->get<Ether>().dst == "02:00:00:00:00:02") all.push_back({p->build(), p->time, side});
    std::ranges::stable_sort(all, {}, &seen::time);
    co_return all;
}

struct two_wires : net_lab::own_network {
    two_wires() {
        pair("neara", "fara");
        pair("nearb", "farb");
    }
};

std::string file(session const& s) {
    auto path =
        (std::filesystem::temp_directory_path() / fmt::format("sonde-sides-{}.pcap", ::getpid())).string();
    write_pcap(path, s.packets);
    return path;
}

std::string sides_of(std::vector<seen> const& all) {
    std::string text;
    for (auto const& s : all) text += s.side;
    return text;
}

}  // namespace

TEST_CASE(
    "a replay over two interfaces sends each side's packets by its own, in the file's order and to its times",
    "[lab][net]") {
    two_wires wires;
    auto s = recorded(10);
    auto path = file(s);
    for (bool top : {false, true})
        support::run([&]() -> asio::awaitable<void> {
            tools::replay_report report;
            auto all = co_await replayed(path, {.top = top}, {}, report);
            CHECK(report.sent.sent == s.packets.size());
            CHECK(report.by_second == static_cast<std::size_t>(std::ranges::count(s.sides, 's')));
            REQUIRE(all.size() == s.packets.size());
            CHECK(sides_of(all) == s.sides);
            for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i].bytes == s.packets[i].build());
            if (top) co_return;
            CHECK(report.measured == s.packets.size());
            for (std::size_t i = 0; i < all.size(); ++i)  // none early; late as a busy machine is
                CHECK(all[i].time - all[0].time > 2ms * static_cast<int>(i) - 1ms);
        });
    std::filesystem::remove(path);
}

TEST_CASE("a replay that was stopped sends no more, also when it was not running yet", "[lab][net]") {
    two_wires wires;
    auto path = file(recorded(1));
    support::run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        tools::replay run(net, path, {.top = true, .iface = "neara"});
        run.stop();
        auto report = co_await run.run();
        CHECK(report.sent.sent == 0);
    });
    std::filesystem::remove(path);
}

TEST_CASE("networks of servers decide over who sent first", "[lab][net]") {
    two_wires wires;
    auto s = recorded(1);
    auto path = file(s);
    support::run([&]() -> asio::awaitable<void> {
        tools::replay_report report;
        auto all = co_await replayed(path, {.top = true}, address_set("198.18.0.2"), report);
        CHECK(sides_of(all) ==
              "cscssc"
              "sc"  // the log is of the server's address
              "c");
    });
    std::filesystem::remove(path);
}

TEST_CASE("sonde replay takes two interfaces, and says what left by each", "[lab][net]") {
    two_wires wires;
    auto path = file(recorded(2));
    auto command = [](std::vector<std::string> words) {
        words.insert(words.begin(), {support::sonde_command(), "replay"});
        return support::run(words);
    };
    auto both = command({path, "--iface", "neara", "--intf2", "nearb", "--top"});
    INFO(both.out << both.err);
    CHECK(both.status == 0);
    CHECK(both.out.find("10 of them by neara, 8 by nearb\n") != std::string::npos);
    auto json = command({path, "-i", "neara", "-I", "nearb", "--cidr", "198.18.0.0/31", "--top", "--json"});
    CHECK(json.out.find("\"by_intf2\":8,") != std::string::npos);
    CHECK(command({path, "--intf2", "nearb"}).status == 2);
    CHECK(command({path, "--iface", "neara", "--intf2", "neara"}).status == 2);
    CHECK(command({path, "--iface", "neara", "--cidr", "10.0.0.0/8"}).status == 2);
    auto missing = command({path, "--iface", "neara", "--intf2", "nearz"});
    CHECK(missing.status == 3);
    CHECK(missing.err.find("nearz") != std::string::npos);
    std::filesystem::remove(path);
}
