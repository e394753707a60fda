#include "tool/commands.hpp"
#include "tool/lines.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/tools/neighbours.hpp>

#include <fmt/format.h>

#include <cstdio>

namespace sonde::inline v0::tool {

namespace asio = boost::asio;
namespace po = boost::program_options;

verb neighbours_verb(std::string const& name) {
    bool arp = name == "arping";
    verb v(name, arp ? "TARGET... [OPTIONS]" : "[TARGET...] [OPTIONS]",
           arp ? "Ask by ARP who is on the link: hardware address, its vendor where a file of this system "
                 "has it, and whether "
                 "another host has the same address."
               : "Ask by neighbour discovery who is on the link; without targets, all nodes, which answer "
                 "from their link-local "
                 "addresses.",
           arp ? "sonde arping 198.51.100.0/24 --iface eth1" : "sonde ndping --iface eth1");
    add_target_file(v);
    v.options.add_options()("iface,i", po::value<std::string>(),
                            "interface; default: that of the default route")(
        "timeout,t", po::value<std::string>(), "how long each attempt waits; default 1s")(
        "retry,r", po::value<std::string>(), "attempts after the first; default 1")(
        "rate,R", po::value<std::string>(), "packets per second, at most");
    add_output(v);
    return v;
}

namespace {

void print(tools::neighbour const& n, tools::vendor_table const& vendors, arguments const& a) {
    auto vendor = vendors.vendor_of(n.hardware);
    if (a.has("json"))
        fmt::print(
            "{{\"type\":\"answer\",\"target\":\"{}\",\"mac\":\"{}\",\"vendor\":{},\"duplicate\":{},\"rtt_"
            "us\":{:.3f}}}\n",
            n.address, n.hardware, quoted_json(vendor), n.duplicate, microseconds(n.rtt));
    else if (!a.has("quiet"))
        fmt::print("{:<15} {}  {:.3f} ms  {}{}\n", n.address, n.hardware, milliseconds(n.rtt), escape(vendor),
                   n.duplicate ? "  DUPLICATE: another host has this address" : "");
    flush_results();
}

asio::awaitable<int> ask(session& s, tools::neighbour_options o, arguments const& a, bool arp) {
    tools::target_list targets;
    if (arp || !a.subjects.empty() || a.has("targets-file")) targets = co_await targets_of(a);
    auto addresses = targets.addresses();
    if (arp ? !addresses.v6().empty() : !addresses.v4().empty())
        throw usage_error(arp ? "ARP is for IPv4; ndping asks for IPv6"
                              : "neighbour discovery is for IPv6; arping asks for IPv4");
    auto vendors = tools::vendor_table::of_system();
    tools::neighbours run(s.net, addresses, o);
    s.on_interrupt = [&run] { run.stop(); };
    std::uint64_t found = 0, duplicates = 0;
    while (auto n = co_await run.next()) {
        print(*n, vendors, a);
        ++(n->duplicate ? duplicates : found);
    }
    s.on_interrupt = {};
    auto r = run.report();
    if (a.has("json"))
        fmt::print("{{\"type\":\"summary\",\"sent\":{},\"hosts\":{},\"duplicates\":{},\"seconds\":{:.6f}}}\n",
                   r.sent, found, duplicates, std::chrono::duration<double>(r.duration).count());
    else
        complain("{} packets sent, {} hosts answered{}\n", r.sent, found,
                 duplicates ? fmt::format(", {} addresses taken twice", duplicates) : "");
    if (r.send_errors && !r.sent) {
        say(could_not_leave(s, r.send_errors, r.first_error));
        co_return system_error;
    }
    co_return found ? answered : no_answer;
}

}  // namespace

int run_neighbours(std::string const& name, words const& arguments_) {
    auto v = neighbours_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    tools::neighbour_options o;
    if (a.has("iface")) o.iface = interface_of(a);
    if (a.has("timeout")) o.timeout = parse_duration(a.text("timeout"));
    if (a.has("retry"))
        o.retry = static_cast<int>(std::min<std::uint64_t>(parse_count(a.text("retry")), 100));
    if (a.has("rate")) o.rate = parse_rate(a.text("rate"));
    return run(name, a, [&a, o, arp = name == "arping"](session& s) { return ask(s, o, a, arp); });
}

}  // namespace sonde::inline v0::tool
