// Scans of the simulated network: what ports turn out to be, shards, and going on where a scan ended.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>
#include <sonde/tools/neighbours.hpp>
#include <sonde/tools/ping.hpp>
#include <sonde/tools/scan.hpp>
#include <sonde/tools/targets.hpp>
#include <sonde/tools/traceroute.hpp>

#include <boost/asio/detached.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <sstream>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using tools::scan_state;

namespace {

using port_key = std::pair<std::string, unsigned>;

port_key key_of(packet const& p) {
    unsigned port = p.has<TCP>() ? p.get<TCP>().dport.value() : p.has<UDP>() ? p.get<UDP>().dport.value() : 0;
    return {p.has<IP>() ? p.get<IP>().dst.value().to_string() : p.get<IPv6>().dst.value().to_string(), port};
}

tools::scan_plan plan_of(std::string_view targets, std::string_view ports, std::uint64_t seed = 1,
                         tools::scan_shard const& shard = {}) {
    tools::target_list list;
    std::istringstream in{std::string(targets)};
    list.add_lines(in, "test");
    return {
        list.addresses(), {}, ports.empty() ? tools::scan_ports() : tools::read_ports(ports), seed, shard};
}

asio::awaitable<std::map<port_key, std::string>> results_of(network& net, tools::scan_plan plan,
                                                            tools::scan_options o = {}) {
    std::map<port_key, std::string> found;
    tools::scan run(net, std::move(plan), o);
    while (auto r = co_await run.next()) {
        CHECK(!found.contains({r->target.to_string(), r->port}));
        found[{r->target.to_string(), r->port}] = fmt::format("{} {}", tools::name_of(r->state), r->reason);
    }
    co_return found;
}

/// Sets variables for a moment.
class environment {
public:
    explicit environment(std::initializer_list<std::pair<std::string const, std::string>> v) : values_(v) {
        for (auto const& [name, value] : values_) ::setenv(name.c_str(), value.c_str(), 1);
    }
    ~environment() {
        for (auto const& [name, value] : values_) ::unsetenv(name.c_str());
    }

private:
    std::map<std::string, std::string> values_;
};

}  // namespace

TEST_CASE("A scan tells open, closed and filtered ports apart, and why") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        host server{.tcp = {22}};
        server.udp[53] = [](packet const&) { return packet("whatever"); };
        server.udp[99] = [](packet const&) { return std::optional<packet>(); };
        sim.add("198.18.0.1", server);
        sim.add("198.18.0.2", host::silent());
        network net{co_await asio::this_coro::executor};
        auto found =
            co_await results_of(net, plan_of("198.18.0.1-2", "22,80,U:53,98,99"), {.timeout = 100ms});
        CHECK(found == std::map<port_key, std::string>{{{"198.18.0.1", 22}, "open syn-ack"},
                                                       {{"198.18.0.1", 80}, "closed reset"},
                                                       {{"198.18.0.1", 53}, "open udp-response"},
                                                       {{"198.18.0.1", 98}, "closed port-unreach"},
                                                       {{"198.18.0.1", 99}, "open|filtered no-response"},
                                                       {{"198.18.0.2", 22}, "filtered no-response"},
                                                       {{"198.18.0.2", 80}, "filtered no-response"},
                                                       {{"198.18.0.2", 53}, "open|filtered no-response"},
                                                       {{"198.18.0.2", 98}, "open|filtered no-response"},
                                                       {{"198.18.0.2", 99}, "open|filtered no-response"}});
    });
}

TEST_CASE("Without ports a scan is a ping sweep, of both families") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        sim.add("2001:db8::1");
        sim.add("2001:db8::2", host::silent());
        network net{co_await asio::this_coro::executor};
        auto found = co_await results_of(net, plan_of("198.18.0.1 2001:db8::1 2001:db8::2", ""));
        CHECK(found == std::map<port_key, std::string>{{{"198.18.0.1", 0}, "up echo-reply"},
                                                       {{"2001:db8::1", 0}, "up echo-reply"},
                                                       {{"2001:db8::2", 0}, "down no-response"}});
    });
}

TEST_CASE("UDP ports of known services are asked what their services answer") {
    auto asked = [](unsigned port) {
        auto plan = plan_of("198.18.0.1", "U:" + std::to_string(port));
        return dissect(plan[0].build(), link_type::ipv4);
    };
    CHECK(asked(53).has<DNS>());
    CHECK(asked(123).has<NTP>());
    CHECK(asked(137).has<NBNSNodeStatusRequest>());
    CHECK(asked(161).has<SNMP>());
    CHECK(asked(7).get<UDP>().len == 8);
}

TEST_CASE("Shards of any number cover exactly the whole, without overlap") {
    std::mt19937_64 chance(support::seed());
    for (int round = 0; round < 20; ++round) {
        auto n = 1 + chance() % 17, seed = chance();
        INFO(n << " shards, seed " << seed);
        std::string const targets = "198.18.0.0/26 198.18.7.1-19 2001:db8::/124";
        std::set<port_key> whole, parts;
        auto all = plan_of(targets, "22,80-82,U:53,161", seed);
        for (std::uint64_t i = 0; i < all.size(); ++i) whole.insert(key_of(all[i]));
        REQUIRE(whole.size() == all.total());
        REQUIRE(whole.size() == (64 + 19 + 16) * 6);
        std::uint64_t sum = 0;
        for (std::uint64_t s = 0; s < n; ++s) {
            auto part = plan_of(targets, "22,80-82,U:53,161", seed, {s, n});
            CHECK(part.fingerprint() == all.fingerprint());
            for (std::uint64_t i = 0; i < part.size(); ++i) parts.insert(key_of(part[i]));
            sum += part.size();
        }
        CHECK(sum == whole.size());
        CHECK(parts == whole);
    }
}

TEST_CASE("Excluded addresses are in no plan, and two seeds give two orders") {
    tools::target_list list;
    list.add("198.18.0.0/24");
    tools::scan_plan const plan(list.addresses(), address_set("198.18.0.128/25", "198.18.0.7"),
                                tools::read_ports("80"), 1);
    std::set<port_key> in;
    for (std::uint64_t i = 0; i < plan.size(); ++i) in.insert(key_of(plan[i]));
    CHECK(in.size() == 127);
    CHECK(!in.contains({"198.18.0.7", 80}));
    tools::scan_plan const other(list.addresses(), {}, tools::read_ports("80"), 2);
    CHECK(other.fingerprint() != plan.fingerprint());
    CHECK(key_of(other[0]) != key_of(plan_of("198.18.0.0/24", "80", 1)[0]));
}

TEST_CASE("A scan that was stopped anywhere goes on with what is left, and each port comes once") {
    for (std::uint64_t after : {0, 1, 100, 500, 900})
        support::simulate([after](simulation& sim) -> asio::awaitable<void> {
            link_conditions lossy{.delay = 5ms, .jitter = 3ms, .loss = 0.05};
            sim.add("198.18.0.0/24", {.tcp = {22}}, path::both(lossy));
            network net{co_await asio::this_coro::executor};
            auto plan = plan_of("198.18.0.0/24", "22,23,24,25");
            std::multiset<std::uint64_t> seen;
            tools::positions done;
            {
                tools::scan first(net, plan, {.timeout = 50ms, .rate = 5000});
                while (seen.size() < after)
                    if (auto r = co_await first.next()) seen.insert(r->position);
                done = tools::positions::read(first.done().to_string());
            }
            CHECK(done.size() == after);
            tools::scan second(net, plan, {.timeout = 50ms, .rate = 5000}, done);
            while (auto r = co_await second.next()) seen.insert(r->position);
            CHECK(seen.size() == plan.size());
            CHECK(std::set<std::uint64_t>(seen.begin(), seen.end()).size() == plan.size());
            CHECK(second.done().to_string() == fmt::format("0-{}", plan.size() - 1));
        });
}

TEST_CASE("65,536 hosts with 5 % loss are all found with five retries, none twice") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/16", {.tcp = {80}}, path::both({.delay = 2ms, .loss = 0.025}));
        network net{co_await asio::this_coro::executor};
        tools::scan run(net, plan_of("198.18.0.0/16", "80"), {.timeout = 200ms, .retry = 5, .rate = 100000});
        std::set<std::uint64_t> seen;
        std::uint64_t open = 0, results = 0;
        while (auto r = co_await run.next()) {
            open += r->state == scan_state::open;
            seen.insert(r->position);
            ++results;
        }
        CHECK(open == 65536);
        CHECK(results == 65536);
        CHECK(seen.size() == 65536);
    });
}

TEST_CASE("The shard is what the environment says: SONDE_SHARD, Slurm, Open MPI, Kubernetes") {
    using tools::shard_of_environment;
    CHECK(shard_of_environment().is_whole());
    {
        environment slurm({{"SLURM_ARRAY_TASK_ID", "14"},
                           {"SLURM_ARRAY_TASK_MIN", "10"},
                           {"SLURM_ARRAY_TASK_COUNT", "8"},
                           {"SLURM_ARRAY_TASK_STEP", "2"}});
        CHECK(shard_of_environment().to_string() == "3/8");
        environment own{{"SONDE_SHARD", "2/4"}};
        CHECK(shard_of_environment().to_string() == "2/4");
    }
    {
        environment mpi({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "3"}});
        CHECK(shard_of_environment().to_string() == "1/3");
    }
    environment pod{{"JOB_COMPLETION_INDEX", "5"}};
    CHECK_THROWS_WITH(shard_of_environment(), Catch::Contains("SONDE_SHARDS"));
    environment of{{"SONDE_SHARDS", "6"}};
    CHECK(shard_of_environment().to_string() == "6/6");
    environment wrong{{"SONDE_SHARD", "7/6"}};
    CHECK_THROWS_WITH(shard_of_environment(), Catch::Contains("\"7/6\" is no shard"));
}

TEST_CASE("Targets are addresses, networks, ranges and names; what is none of them is named") {
    tools::target_list list;
    std::istringstream in("198.18.0.1-3 198.18.1.0/30  # the first\n\n2001:db8::1\nhost.example\n");
    list.add_lines(in, "file");
    CHECK(list.in_order().size() == 3 + 4 + 1);
    CHECK(list.in_order()[2] == ip_address(ipv4("198.18.0.3")));
    CHECK(list.names() == std::vector<std::string>{"host.example"});
    CHECK(tools::count_of(list.addresses()) == 8);
    for (auto const* word : {"198.18.0.9-3", "198.18.0.0/33", "198.18.0.1-256", "1.2.3", "a b", "::1/129"})
        CHECK_THROWS_WITH(tools::target_list().add(word), Catch::Contains("is no target"));
    std::istringstream wrong("198.18.0.1\n198.18.0.300\n");
    CHECK_THROWS_WITH(tools::target_list().add_lines(wrong, "hosts.txt"),
                      Catch::StartsWith("hosts.txt:2: \"198.18.0.300\" is no target"));
    tools::target_list large;
    large.add("10.0.0.0/8");
    CHECK_THROWS_WITH(large.in_order(), Catch::Contains("more than 65536"));
}

TEST_CASE("After a lookup that failed, all names are still there, and come to their addresses by another") {
    // Numbers as inet_aton reads them: nobody is asked, and they are no IPv6 addresses.
    tools::target_list list;
    for (auto const* word : {"0x7f000001", "198.18.0.1", "0x7f000002", "0x7f000003"}) list.add(word);
    auto resolve = [&](bool v6) {
        asio::io_context io;
        std::exception_ptr failure;
        asio::co_spawn(io, list.resolve(v6), [&](std::exception_ptr e) { failure = e; });
        io.run();
        if (failure) std::rethrow_exception(failure);
    };
    std::vector<std::string> const names{"0x7f000001", "0x7f000002", "0x7f000003"};
    CHECK_THROWS_WITH(resolve(true), Catch::Contains("0x7f000001"));
    CHECK(list.names() == names);
    CHECK(list.in_order() == std::vector<ip_address>{ipv4("198.18.0.1")});
    resolve(false);
    CHECK(list.names().empty());
    CHECK(list.in_order() == std::vector<ip_address>{ipv4("198.18.0.1"), ipv4("127.0.0.1"), ipv4("127.0.0.2"),
                                                     ipv4("127.0.0.3")});
}

TEST_CASE("A scan of 2^63 probes and more begins like any other, and a /64 is too large, in words") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("2001:db8::/64", {.tcp = {80}});
        network net{co_await asio::this_coro::executor};
        auto plan = plan_of("2001:db8::/65 2001:db8::8000:0:0:0/66", "80");
        CHECK(plan.size() == 0xc000000000000000);
        // What was done before leaves exactly 2^63 and one.
        tools::positions done = tools::positions::read("0-4611686018427387902");
        tools::scan run(net, plan, {.timeout = 100ms, .window = 16}, done);
        std::set<std::uint64_t> seen;
        while (seen.size() < 50) {
            auto r = co_await run.next();
            REQUIRE(r);
            CHECK(r->state == scan_state::open);
            CHECK(r->position >= 4611686018427387903);
            CHECK(key_of(plan[r->position]).first == r->target.to_string());
            seen.insert(r->position);
        }
        run.stop();
        while (co_await run.next()) continue;
        CHECK_THROWS_WITH(plan_of("2001:db8::/64", "80"), Catch::Contains("2^64"));
    });
}

TEST_CASE("Neighbours among 2^63 addresses and more are asked for like any others") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.record();
        network net{co_await asio::this_coro::executor};
        tools::neighbours run(net, address_set("2001:db8::/65", "2001:db8:0:0:8000::/66"),
                              {.timeout = 100ms, .retry = 0, .rate = 1000, .iface = "eth1"});
        asio::co_spawn(
            co_await asio::this_coro::executor,
            [&]() -> asio::awaitable<void> {
                co_await sim.sleep(10ms, asio::use_awaitable);
                run.stop();
            },
            asio::detached);
        while (co_await run.next()) continue;
        std::set<std::string> asked;
        for (auto const& f : sim.trace()) {
            auto p = dissect(f.bytes, f.type);
            if (p.has<ICMPv6ND_NS>()) asked.insert(p.get<ICMPv6ND_NS>().tgt.value().to_string());
        }
        CHECK(asked.contains("2001:db8::"));
        CHECK(asked.contains("2001:db8::9"));
        CHECK_THROWS_WITH(tools::neighbours(net, address_set("2001:db8::/64"), {.iface = "eth1"}),
                          Catch::Contains("2^64"));
    });
}

TEST_CASE("Ports are numbers, ranges and all, each once; what is none is named") {
    auto ports = tools::read_ports("80,22,80-82,U:53,53,T:443");
    CHECK(ports.tcp == std::vector<std::uint16_t>{22, 80, 81, 82, 443});
    CHECK(ports.udp == std::vector<std::uint16_t>{53});
    CHECK(tools::read_ports("-").tcp.size() == 65535);
    for (auto const* text : {"", "80,", "90-80", "65536", "http", "-5"})
        CHECK_THROWS_WITH(tools::read_ports(text), Catch::Contains("is no port"));
}

TEST_CASE("Positions come back as they were written, whatever order they were done in") {
    std::mt19937_64 chance(support::seed());
    for (int round = 0; round < 50; ++round) {
        tools::positions some;
        std::set<std::uint64_t> expected;
        for (int i = 0; i < 200; ++i) {
            auto at = chance() % 300;
            some.insert(at);
            expected.insert(at);
        }
        auto back = tools::positions::read(some.to_string());
        CHECK(back.size() == expected.size());
        std::uint64_t missing = 0;
        for (auto const& [first, end] : back.missing(300))
            for (auto i = first; i < end; ++i, ++missing) CHECK(!expected.contains(i));
        CHECK(missing + expected.size() == 300);
        for (auto at : expected) CHECK(back.contains(at));
    }
    CHECK_THROWS_WITH(tools::positions::read("5-3"), Catch::Contains("5-3"));
    CHECK_THROWS_WITH(tools::positions::read("0-9,4-12"), Catch::Contains("4-12"));
}

TEST_CASE("A position is below 2^64 - 1: that one is no plan's, and does not become an empty piece") {
    auto const last = ~std::uint64_t(0);
    tools::positions some;
    CHECK_THROWS_WITH(some.insert(last), Catch::Contains("18446744073709551615"));
    CHECK(some.size() == 0);
    CHECK(some.to_string().empty());
    some.insert(last - 1);
    CHECK_THROWS_WITH(some.insert(last), Catch::Contains("18446744073709551615"));
    CHECK(some.size() == 1);
    CHECK(some.to_string() == "18446744073709551614-18446744073709551614");
    CHECK(some.contains(last - 1));
    CHECK(!some.contains(last));
    CHECK(tools::positions::read(some.to_string()).size() == 1);
    CHECK_THROWS_WITH(tools::positions::read("7-18446744073709551615"),
                      Catch::Contains("7-18446744073709551615"));
}

TEST_CASE(
    "A special address that a list's network or name brought is refused, one that was written is asked") {
    tools::target_list looked_up;
    looked_up.add("0xe0000001");  // as inet_aton reads it: 224.0.0.1
    asio::io_context io;
    asio::co_spawn(io, looked_up.resolve(), asio::detached);
    io.run();
    REQUIRE(looked_up.in_order() == std::vector{ip_address(ipv4("224.0.0.1"))});
    support::simulate([&](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.51.100.7");
        network net{co_await asio::this_coro::executor};
        auto failures = [&](tools::target_list const& list,
                            tools::target_list const* named_by) -> asio::awaitable<std::vector<error_code>> {
            std::vector<error_code> all;
            tools::ping run(net, list.in_order(), {.count = 1, .timeout = 100ms, .named_by = named_by});
            while (auto r = co_await run.next()) all.push_back(r->failure);
            co_return all;
        };
        auto const refused = make_error_code(errc::target_refused);
        tools::target_list network_of_two, written, order;
        network_of_two.add("198.51.100.254/31");
        auto of_network = co_await failures(network_of_two, &network_of_two);
        CHECK(of_network.size() == 2);
        CHECK(std::ranges::count(of_network, refused) == 1);
        auto of_addresses = co_await failures(network_of_two, nullptr);
        CHECK(std::ranges::count(of_addresses, refused) == 0);
        written.add("198.51.100.255");
        written.add("198.51.100.254-255");
        auto of_written = co_await failures(written, &written);
        CHECK(std::ranges::count(of_written, refused) == 0);
        auto of_name = co_await failures(looked_up, &looked_up);
        CHECK(of_name == std::vector{refused});
        // Ranges that overlap, in any order, are one.
        for (auto const* word : {"198.51.100.253-254", "198.51.100.250-251", "198.51.100.251-255"})
            order.add(word);
        tools::target_list last;
        last.add("198.51.100.255");
        auto of_overlap = co_await failures(last, &order);
        CHECK(of_overlap == std::vector{refused});
    });
}

TEST_CASE("A scan and a traceroute of a list refuse what its networks hold of special addresses, too") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.51.100.7");
        network net{co_await asio::this_coro::executor};
        tools::target_list list;
        list.add("198.51.100.255/32");
        tools::target_list range;
        range.add("198.51.100.254-255");
        for (auto const* named_by : {&list, &range}) {
            bool const refused = named_by == &range;
            tools::scan scan(net, tools::scan_plan(list.addresses(), {}, {}, 1),
                             {.timeout = 100ms, .retry = 0, .named_by = named_by});
            auto const r = co_await scan.next();
            REQUIRE(r.has_value());
            CHECK((r->state == scan_state::failed) == refused);
            tools::traceroute trace(net, list.in_order(),
                                    {.max_hops = 1, .queries = 1, .timeout = 100ms, .named_by = named_by});
            auto const t = co_await trace.next();
            REQUIRE(t.has_value());
            auto const& reply = t->hops.at(0).replies.at(0);
            CHECK((reply.outcome.error == errc::target_refused) == refused);
        }
    });
}
