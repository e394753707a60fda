#include "tool/commands.hpp"
#include "tool/lines.hpp"
#include "tool/rotating_file.hpp"

#include <sonde/packet/json.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/program_options/value_semantic.hpp>

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <optional>

#include <net/if.h>

namespace sonde::inline v0::tool {

namespace po = boost::program_options;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;

rotation rotation_of(arguments const& a) {
    rotation r;
    if (a.has("rotate-size")) r.size = static_cast<std::uint64_t>(parse_rate(a.text("rotate-size")));
    if (a.has("rotate-time")) r.time = parse_duration(a.text("rotate-time"));
    if (a.has("keep")) r.keep = parse_count(a.text("keep"));
    return r;
}

std::string name_of_interface(int number) {
    std::array<char, IF_NAMESIZE> name{};
    auto const* found = ::if_indextoname(static_cast<unsigned>(number), name.data());
    return found ? found : "";
}

void print(packet const& p, arguments const& a) {
    if (a.has("quiet")) return;
    if (a.has("json"))
        fmt::print("{}\n", to_json(p));
    else if (a.has("show"))
        fmt::print("{:show}\n", p);
    else if (a.has("hex"))
        fmt::print("{:hex}\n", p);
    else
        fmt::print("{}\n", p);
    flush_results();
}

asio::awaitable<int> sniff(session& s, packet_stream capture, arguments const& a) {
    std::optional<rotating_file> file;
    if (a.has("write"))
        file.emplace(a.text("write"), rotation_of(a), a.has("sim") ? nullptr : name_of_interface);
    std::optional<progress_line> progress;
    if (file)
        progress.emplace(s.net.get_executor(), [&capture] {
            auto r = capture.report();
            return fmt::format("{} packets, {} dropped by the kernel", r.received, r.kernel_drops);
        });
    asio::cancellation_signal stop;
    s.on_interrupt = [&stop] { stop.emit(asio::cancellation_type::terminal); };
    error_code failed;
    for (;;) {
        auto [ec, p] = co_await capture.next(
            asio::bind_cancellation_slot(stop.slot(), asio::as_tuple(asio::use_awaitable)));
        if (ec && !s.interrupted) failed = ec;
        if (!p) break;
        if (file)
            file->append(*p);
        else
            print(*p, a);
    }
    progress.reset();
    if (file) file->close();
    s.on_interrupt = {};
    auto r = capture.report();
    if (!failed || r.received)
        complain("{} packets captured, {} dropped by the kernel\n", r.received, r.kernel_drops);
    if (failed) throw boost::system::system_error(failed);
    co_return r.received ? answered : no_answer;
}

}  // namespace

verb sniff_verb(std::string const&) {
    verb v("sniff", "[OPTIONS]", "Print packets as they come and go.",
           "sonde sniff --iface eth1 --filter 'icmp' --count 10");
    v.needs_subject = false;
    v.options.add_options()("iface,i", po::value<std::string>(), "interface; default: all")(
        "filter,f", po::value<std::string>(), "pcap filter (pcap-filter(7)), run by the kernel")(
        "count,c", po::value<std::string>(), "end after so many packets")(
        "write,w", po::value<std::string>(),
        "write to this file instead: pcapng by its name, else pcap; -: pcap to stdout")(
        "rotate-size", po::value<std::string>(),
        "with --write: begin a new file after so many bytes: 500k, 10M")(
        "rotate-time", po::value<std::string>(), "with --write: begin a new file after so long")(
        "keep", po::value<std::string>(), "with rotation: keep the newest so many files, delete older ones")(
        "timeout,t", po::value<std::string>(), "end after so long")(
        "no-promisc", "leave out frames for other hosts")("reassemble", "whole packets instead of fragments")(
        "show", "all fields of each packet")("hex", "a hexdump of each packet");
    add_output(v);
    return v;
}

int run_sniff(std::string const& name, words const& arguments_) {
    auto v = sniff_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    if ((a.has("rotate-size") || a.has("rotate-time")) && !a.has("write"))
        throw usage_error("rotation goes with --write");
    if (rotation_of(a).rotates() && a.text("write") == "-")
        throw usage_error("what goes to standard output does not rotate");
    for (auto const* how : {"json", "show", "hex"})
        if (a.has("write") && a.has(how)) throw usage_error(fmt::format("--write or --{}, not both", how));
    for (auto const* n : {"keep", "rotate-size"})
        if (a.has(n) && parse_rate(a.text(n)) < 1) throw usage_error(fmt::format("--{}: 1 at least", n));
    if (a.has("keep") && !rotation_of(a).rotates())
        throw usage_error("--keep goes with --rotate-size or --rotate-time");
    sniff_options o;
    auto filter = a.text("filter");
    o.iface = if_name(a.text("iface"));
    o.filter = filter;
    if (a.has("count")) o.count = parse_count(a.text("count"));
    // 0 is at once, as Scapy has it; the library's 0 is no end.
    if (a.has("timeout")) o.timeout = std::max<steady_duration>(parse_duration(a.text("timeout")), 1ns);
    o.promisc = !a.has("no-promisc");
    o.reassemble = a.has("reassemble");
    return run(name, a, [&](session& s) { return sniff(s, s.net.sniff(o), a); });
}

}  // namespace sonde::inline v0::tool
