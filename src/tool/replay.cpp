#include "tool/commands.hpp"
#include "tool/lines.hpp"

#include <sonde/tools/replay.hpp>

#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0::tool {

namespace asio = boost::asio;
namespace po = boost::program_options;

verb replay_verb(std::string const&) {
    verb v("replay", "FILE [OPTIONS]",
           "Send the packets of a capture file, to its own times or others, and tell how late they left: by "
           "the kernel's "
           "stamps on their way out, from the first packet on.",
           "sonde replay session.pcap --iface eth1 --speed 2");
    v.is_expression = false;
    add_targets(v);
    v.options.add_options()("iface,i", po::value<std::string>(),
                            "interface; default: that of the default route")(
        "intf2,I", po::value<std::string>(),
        "second interface, for what servers sent; what clients sent leaves by --iface")(
        "cidr", po::value<std::vector<std::string>>(),
        "with --intf2: networks of servers, 10.0.0.0/8; may be given again; default: by who sends the SYN, "
        "or "
        "first")("speed,x", po::value<std::string>(), "times as fast as the file: 2, 0.5; default 1")(
        "rate,R", po::value<std::string>(), "packets per second instead: 500, 10k")(
        "bit-rate", po::value<std::string>(), "bits per second instead: 10M, 1G")(
        "top", "as fast as the kernel takes them instead")(
        "passes,c", po::value<std::string>(), "through the file; default 1, 0: until interrupted")(
        "limit", po::value<std::string>(), "packets at most")(
        "map", po::value<std::vector<std::string>>(),
        "OLD=NEW: this address to that one, checksums too; may be given again")(
        "src-mac", po::value<std::string>(), "Ethernet source of all")("dst-mac", po::value<std::string>(),
                                                                       "Ethernet destination of all")(
        "no-measure", "do not watch when packets leave");
    add_output(v);
    v.exit_status = "0 all packets left, 2 usage, 3 some could not or the system refused, 130 interrupted.";
    return v;
}

namespace {

tools::replay_options options_of(arguments const& a) {
    tools::replay_options o;
    if (a.has("rate") + a.has("bit-rate") + a.has("top") + a.has("speed") > 1)
        throw usage_error("one of --speed, --rate, --bit-rate and --top");
    if (a.has("speed")) o.speed = parse_rate(a.text("speed"));
    if (!(o.speed > 0)) throw usage_error("--speed 0 would never begin");
    if (a.has("rate")) o.rate = parse_rate(a.text("rate"));
    if (a.has("bit-rate")) o.bit_rate = parse_rate(a.text("bit-rate"));
    o.top = a.has("top");
    if (a.has("passes")) o.passes = parse_count(a.text("passes"));
    if (o.passes == 0) o.passes = forever;
    if (a.has("limit")) o.limit = parse_count(a.text("limit"));
    if (a.has("iface")) o.iface = if_name(a.text("iface"));
    if (a.has("intf2")) o.iface2 = if_name(a.text("intf2"));
    if (a.has("intf2") && (o.iface.empty() || o.iface == o.iface2))
        throw usage_error("--intf2 goes with --iface, and is another");
    if (a.has("intf2") && a.has("sim")) throw usage_error("a simulation has no second interface");
    if (a.has("cidr") && !a.has("intf2")) throw usage_error("--cidr goes with --intf2");
    o.measure = !a.has("no-measure");
    return o;
}

address_set servers_of(arguments const& a) try {
    return address_set(a.texts("cidr"));
} catch (error const& e) {
    throw usage_error(fmt::format("--cidr: {}", e.what()));
}

tools::replay_rewrite rewrite_of(arguments const& a) {
    tools::replay_rewrite r;
    for (auto const& text : a.texts("map")) {
        auto middle = text.find('=');
        auto from = ip_address::parse(text.substr(0, middle));
        auto to = middle == text.npos ? std::nullopt : ip_address::parse(text.substr(middle + 1));
        if (!from || !to || from->is_v4() != to->is_v4())
            throw usage_error(
                fmt::format("--map {}: write 10.0.0.1=198.18.0.1, two addresses of one family", text));
        r.addresses.emplace_back(*from, *to);
    }
    for (auto [name, where] : {std::pair{"src-mac", &r.source}, {"dst-mac", &r.destination}})
        if (a.has(name) && !(*where = mac::parse(a.text(name))))
            throw usage_error(fmt::format("--{} {}: write 02:00:00:00:00:01", name, a.text(name)));
    return r;
}

void print(tools::replay_report const& r, arguments const& a) {
    auto seconds = std::chrono::duration<double>(r.sent.duration).count();
    auto per_second = seconds > 0 ? static_cast<double>(r.sent.sent) / seconds : 0;
    auto megabits = seconds > 0 ? 8e-6 * static_cast<double>(r.sent.bytes) / seconds : 0;
    auto const& l = r.lateness;
    if (a.has("json")) {
        fmt::print(
            "{{\"type\":\"summary\",\"sent\":{},\"bytes\":{},\"send_errors\":{},\"seconds\":{:.6f},\"pps\":{:"
            ".1f},"
            "\"mbps\":{:.3f},\"by_intf2\":{},\"measured\":{},\"lateness_us\":{{\"avg\":{:.3f},\"p50\":{:.3f},"
            "\"p95\":{:.3f},"
            "\"max\":{:.3f}}}}}\n",
            r.sent.sent, r.sent.bytes, r.sent.send_errors, seconds, per_second, megabits, r.by_second,
            r.measured, microseconds(l.mean()), microseconds(l.quantile(0.5)), microseconds(l.quantile(0.95)),
            microseconds(l.most()));
        return;
    }
    fmt::print("{} packets ({} bytes) in {:.6f} s", r.sent.sent, r.sent.bytes, seconds);
    if (seconds > 0) fmt::print(": {:.0f} pps, {:.2f} Mbit/s", per_second, megabits);
    fmt::print("\n");
    if (a.has("intf2"))
        fmt::print("{} of them by {}, {} by {}\n", r.sent.sent - std::min(r.sent.sent, r.by_second),
                   a.text("iface"), r.by_second, a.text("intf2"));
    if (r.measured)
        fmt::print("{} of them seen leaving, late by avg/p50/p95/max {:.1f}/{:.1f}/{:.1f}/{:.1f} us\n",
                   r.measured, microseconds(l.mean()), microseconds(l.quantile(0.5)),
                   microseconds(l.quantile(0.95)), microseconds(l.most()));
}

asio::awaitable<int> replay(session& s, arguments const& a) {
    tools::replay run(s.net, a.subject, options_of(a), rewrite_of(a), servers_of(a));
    s.on_interrupt = [&run] { run.stop(); };
    tools::replay_report report;
    {
        progress_line progress(co_await asio::this_coro::executor, [&run] {
            return fmt::format("{} packets", short_count(static_cast<double>(run.drawn())));
        });
        report = co_await run.run();
    }
    s.on_interrupt = {};
    print(report, a);
    if (report.sent.send_errors) say(could_not_leave(s, report.sent.send_errors, report.sent.first_error));
    if (report.ended_by) throw boost::system::system_error(report.ended_by);
    co_return report.sent.send_errors ? system_error : answered;
}

}  // namespace

int run_replay(std::string const& name, words const& arguments_) {
    auto v = replay_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    (void)options_of(a), (void)rewrite_of(a), (void)servers_of(a);
    return run(name, a, [&a](session& s) { return replay(s, a); });
}

}  // namespace sonde::inline v0::tool
