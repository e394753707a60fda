#include "tool/commands.hpp"
#include "tool/lines.hpp"
#include "tool/run.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/packet/json.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <optional>

namespace sonde::inline v0::tool {
namespace {

namespace asio = boost::asio;

/// "answered", "timed_out" …, and what belongs to it.
std::string json(probe_outcome const& o) {
    constexpr char const* names[] = {"answered", "icmp_error", "timed_out", "send_failed", "cancelled"};
    auto name = fmt::format("\"outcome\":\"{}\"", names[static_cast<std::size_t>(o.what)]);
    if (o.what == probe_outcome::kind::icmp_error)
        name += fmt::format(",\"icmp_type\":{},\"icmp_code\":{},\"router\":\"{}\"", o.type, o.code,
                            o.router.to_string());
    if (o.error) name += ",\"error\":" + quoted_json(o.error.message());
    return name;
}

std::string json(exchange const& x) {
    auto round = x.round ? fmt::format(",\"round\":{}", x.round) : std::string();
    auto what = json(x.outcome());
    if (!x.answered())
        return fmt::format("{{\"type\":\"unanswered\",{},\"attempt\":{}{},\"sent\":{}}}", what, x.attempt,
                           round, to_json(x.sent));
    return fmt::format(
        "{{\"type\":\"answer\",{},\"attempt\":{},\"rtt_us\":{:.3f}{},\"sent\":{},\"received\":{}}}", what,
        x.attempt, microseconds(x.rtt()), round, to_json(x.sent), to_json(x.received));
}

std::string json(report const& r) {
    return fmt::format(
        "{{\"type\":\"summary\",\"sent\":{},\"received\":{},\"answered\":{},\"remaining\":{},\"duplicates\":{"
        "},"
        "\"late\":{},\"unrelated\":{},\"malformed\":{},\"retries\":{},\"send_errors\":{},"
        "\"kernel_drops\":{},\"seconds\":{:.6f}{}}}",
        r.sent, r.received, r.answered, r.remaining, r.duplicates, r.late, r.unrelated, r.malformed,
        r.retries, r.send_errors, r.kernel_drops, std::chrono::duration<double>(r.duration).count(),
        r.first_error ? ",\"first_error\":" + quoted_json(r.first_error.message()) : "");
}

/// "<Results: TCP:3 UDP:0 ICMP:0 Other:0>", as Scapy shows a list of packets.
class kinds {
public:
    void add(packet const& p) {
        for (auto name : {"TCP", "UDP", "ICMP"})
            if (std::ranges::any_of(p.layers(), [&](auto const& span) { return name_of(span) == name; })) {
                ++counts_[name];
                return;
            }
        ++counts_["Other"];
    }
    std::string text(char const* title) {
        return fmt::format("<{}: TCP:{} UDP:{} ICMP:{} Other:{}>", title, counts_["TCP"], counts_["UDP"],
                           counts_["ICMP"], counts_["Other"]);
    }

private:
    std::map<std::string, std::uint64_t> counts_;
};

void print(exchange const& x, arguments const& a) {
    if (a.has("json"))
        fmt::print("{}\n", json(x));
    else if (a.has("show"))
        fmt::print("{:show}\n", x.received);
    else if (a.has("hex"))
        fmt::print("{:hex}\n", x.received);
    else
        fmt::print("{}\n", x);
    flush_results();
}

/// Why probes could not leave, for people.
void explain(session& s, report const& r) {
    if (r.send_errors) say(could_not_leave(s, r.send_errors, r.first_error));
}

constexpr std::uint64_t shown_at_most = 100000;  // more lines and marks tell nobody anything

/// What came of a scan, as it is to be printed.
struct scan_result {
    bool one = false;  ///< sr1
    std::vector<exchange> shown{};
    std::uint64_t answers = 0;
    kinds answered{};
    error_code error{};
};

void print_explanations(explanation_stream& why) {
    while (auto e = why.try_next()) complain("{}\n", *e);
}

/// All answers, or the first; JSON lines leave as they come.
asio::awaitable<scan_result> gather(session& s, exchange_stream& scan, bool one, arguments const& a) {
    std::optional<explanation_stream> why;
    if (a.has("explain")) why.emplace(s.net.explain());
    s.on_interrupt = [&scan] { scan.stop(); };  // what is open is unanswered then
    scan_result result{.one = one};
    for (;;) {
        auto [ec, x] = co_await scan.next(asio::as_tuple(asio::use_awaitable));
        if (why) print_explanations(*why);
        if (ec && !s.interrupted) result.error = ec;
        if (!x) break;
        if (!x->answered()) {
            if (!a.has("quiet")) print(*x, a);
            continue;
        }
        ++result.answers;
        result.answered.add(x->received);
        if (a.has("json") && !a.has("quiet"))
            print(*x, a);
        else if (!a.has("quiet") && result.answers <= shown_at_most)
            result.shown.push_back(std::move(*x));
        if (one) break;
    }
    s.on_interrupt = {};
    co_return result;
}

void print_answers(scan_result const& result, arguments const& a) {
    for (auto const& x : result.shown) {
        if (result.one && !a.has("show") && !a.has("hex"))
            fmt::print("{}\n{:show}\n", x.received, x.received);
        else
            print(x, a);
    }
    if (result.answers > shown_at_most && !a.has("quiet"))
        complain("sonde: {} answers more; --json prints all as they come\n", result.answers - shown_at_most);
}

void print_text(report const& r, scan_result& result, packet_list const& silent, arguments const& a) {
    bool human = !a.has("quiet");
    if (human)
        fmt::print("Finished sending {} packets.\n{}{}\n\n", r.sent,
                   std::string(std::min(r.received - r.answered, shown_at_most), '.'),
                   std::string(std::min(r.answered, shown_at_most), '*'));
    fmt::print("{}\n", r);
    print_answers(result, a);
    if (!human || result.one) return;
    kinds unanswered;
    for (auto const& p : silent) unanswered.add(p);
    fmt::print("({}, {})\n", result.answered.text("Results"), unanswered.text("Unanswered"));
}

asio::awaitable<int> sr(session& s, exchange_stream scan, bool one, arguments const& a) {
    if (!a.has("json") && !a.has("quiet")) fmt::print("Begin emission:\n");
    auto result = co_await gather(s, scan, one, a);
    auto r = scan.report();
    auto silent = a.has("json") ? packet_list() : scan.unanswered();
    if (one) scan.cancel();
    // What failed before anything left has nothing to report.
    if (result.error && r.sent == 0) throw boost::system::system_error(result.error);
    if (a.has("json"))
        fmt::print("{}\n", json(r));
    else
        print_text(r, result, silent, a);
    explain(s, r);
    if (result.error) throw boost::system::system_error(result.error);
    if (r.send_errors && r.sent == 0) co_return system_error;
    co_return result.answers ? answered : no_answer;
}

void print_statistics(std::size_t number, probe_statistics const& p, bool as_json) {
    auto const& t = p.rtt;
    if (as_json)
        return fmt::print("{{\"type\":\"statistics\",\"probe\":{},\"rounds\":{},\"answered\":{},{}}}\n",
                          number, p.rounds, p.answered, tool::json_of(t));
    fmt::print("packet {}: {} of {} answered, {:.1f}% loss", number, p.answered, p.rounds, 100 * p.loss());
    if (p.answered)
        fmt::print(
            ", rtt min/avg/max/mdev {:.3f}/{:.3f}/{:.3f}/{:.3f} ms, jitter {:.3f} ms, p50 {:.3f} ms, p95 "
            "{:.3f} "
            "ms",
            milliseconds(t.least()), milliseconds(t.mean()), milliseconds(t.most()),
            milliseconds(t.deviation()), milliseconds(t.jitter()), milliseconds(t.quantile(0.5)),
            milliseconds(t.quantile(0.95)));
    fmt::print("\n");
}

asio::awaitable<int> srloop(session& s, loop_stream loop, arguments const& a) {
    asio::cancellation_signal stop;
    s.on_interrupt = [&stop] { stop.emit(asio::cancellation_type::terminal); };
    for (;;) {
        auto [ec, x] = co_await loop.next(
            asio::bind_cancellation_slot(stop.slot(), asio::as_tuple(asio::use_awaitable)));
        if (ec && !s.interrupted) throw boost::system::system_error(ec);
        if (!x) break;
        if (a.has("quiet")) continue;
        if (a.has("json"))
            fmt::print("{}\n", json(*x));
        else
            fmt::print("{}\n", *x);
        flush_results();
    }
    s.on_interrupt = {};
    auto r = loop.report();
    if (a.has("json"))
        fmt::print("{}\n", json(r));
    else
        fmt::print("\n{}\n", r);
    if (a.has("statistics")) {
        std::size_t number = 0;
        for (auto const& p : loop.statistics()) print_statistics(number++, p, a.has("json"));
    }
    loop.cancel();
    explain(s, r);
    if (r.send_errors && r.sent == 0) co_return system_error;
    co_return r.answered ? answered : no_answer;
}

}  // namespace

verb sr_verb(std::string const& name) {
    bool one = name.ends_with("1"), layer2 = name.starts_with("srp");
    verb v(name, "EXPRESSION [OPTIONS]",
           fmt::format("Send {} at layer {} and {}.", layer2 ? "frames" : "packets", layer2 ? 2 : 3,
                       one ? "print the first answer; nothing more is sent then"
                           : "print the answers when all is over; with --json each probe as it ends"),
           fmt::format("sonde {} '{}'", name,
                       layer2 ? one ? R"(Ether()/IP(dst="198.18.0.1")/ICMP())"
                                    : R"(Ether()/ARP(pdst="198.51.100.0/29"))"
                       : one  ? R"(IP(dst="198.18.0.1")/ICMP()/"XXXXXXXXXXX")"
                              : R"(IP(dst="198.18.0.1")/TCP(dport=[21,22,23]))"));
    add_probing(v);
    add_output(v);
    v.options.add_options()("show", "all fields of each answer")("hex", "a hexdump of each answer")(
        "explain", "tell on stderr of each packet that came in whether it is an answer, and why");
    return v;
}

verb loop_verb(std::string const& name) {
    verb v(name, "EXPRESSION [OPTIONS]",
           "Send packets and print what answers, in rounds: RECV lines for answers, fail lines for silence.",
           fmt::format("sonde {} '{}IP(dst=\"198.18.0.1\")/ICMP()' --count 3", name,
                       name == "srploop" ? "Ether()/" : ""));
    add_looping(v);
    add_output(v);
    v.options.add_options()("statistics",
                            "at the end, loss and round-trip times of each of the first 65,536 packets");
    return v;
}

int run_sr(std::string const& name, words const& arguments_) {
    auto v = sr_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    auto options = sr_options_of(a);
    options.unanswered = a.has("json");
    auto packets = std::make_shared<packet_source>(read_packets(a.subject));
    bool one = name.ends_with("1"), layer2 = name.starts_with("srp");
    return run(name, a, [&a, options, packets, one, layer2](session& s) {
        return sr(s,
                  layer2 ? s.net.srp(std::move(*packets), options) : s.net.sr(std::move(*packets), options),
                  one, a);
    });
}

int run_srloop(std::string const& name, words const& arguments_) {
    auto v = loop_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    auto options = loop_options_of(a);
    auto packets = std::make_shared<packet_source>(read_packets(a.subject));
    return run(name, a, [&a, options, packets, layer2 = name == "srploop"](session& s) {
        return srloop(
            s,
            layer2 ? s.net.srploop(std::move(*packets), options) : s.net.srloop(std::move(*packets), options),
            a);
    });
}

}  // namespace sonde::inline v0::tool
