#include "tool/commands.hpp"
#include "tool/run.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

namespace sonde::inline v0::tool {
namespace {

namespace asio = boost::asio;

void print(send_report const& r, arguments const& a) {
    constexpr std::uint64_t dots = 100000;  // more tell nobody anything
    if (a.has("json")) {
        fmt::print(
            "{{\"type\":\"summary\",\"sent\":{},\"bytes\":{},\"send_errors\":{},\"seconds\":{:.6f}}}\n",
            r.sent, r.bytes, r.send_errors, std::chrono::duration<double>(r.duration).count());
        return;
    }
    if (!a.has("quiet")) fmt::print("{}\n", std::string(std::min(r.sent, dots), '.'));
    fmt::print("{}\n", r);
}

asio::awaitable<int> send(session& s, packet_source packets, send_options options, bool layer2,
                          arguments const& a) {
    asio::cancellation_signal stop;
    s.on_interrupt = [&stop] { stop.emit(asio::cancellation_type::terminal); };
    auto token = asio::bind_cancellation_slot(stop.slot(), asio::as_tuple(asio::use_awaitable));
    auto [ec, report] = layer2 ? co_await s.net.sendp(std::move(packets), options, token)
                               : co_await s.net.send(std::move(packets), options, token);
    s.on_interrupt = {};
    if (!ec || s.interrupted || report.sent) print(report, a);
    if (ec && !s.interrupted) throw boost::system::system_error(ec);
    if (report.send_errors) say(could_not_leave(s, report.send_errors, report.first_error));
    co_return report.send_errors ? system_error : answered;
}

}  // namespace

verb send_verb(std::string const& name) {
    bool layer2 = name == "sendp";
    verb v(
        name, "EXPRESSION|FILE [OPTIONS]",
        layer2 ? "Send frames at layer 2. Automatic addresses of Ether and ARP are the interface's."
               : "Send packets at layer 3: route, source address and next hop are looked up.",
        layer2
            ? "sonde sendp 'Ether()/IP(dst=\"198.18.0.1\", ttl=(1,4))' --iface eth1"
            : "sonde send 'IP(dst=[\"198.18.0.1\",\"198.18.0.2\"])/TCP(dport=53, flags=\"S\")' --count 10");
    add_sending(v);
    v.options.add_options()("quiet,q", "print the report only")("json", "the report as a JSON line");
    return v;
}

int run_send(std::string const& name, words const& arguments_) {
    auto v = send_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    auto options = send_options_of(a);
    auto packets = std::make_shared<packet_source>(read_packets(a.subject));
    return run(name, a, [&a, options, packets, layer2 = name == "sendp"](session& s) {
        return send(s, std::move(*packets), options, layer2, a);
    });
}

}  // namespace sonde::inline v0::tool
