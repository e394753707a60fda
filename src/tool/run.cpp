#include "tool/run.hpp"

#include "tool/interruption.hpp"
#include "tool/text_lines.hpp"

#include "net/privilege.hpp"

#include <sonde/capture/capture_file.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/sim/simulation.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

namespace sonde::inline v0::tool {
namespace {

namespace asio = boost::asio;

/// Ends by itself when nothing is left to happen, as a sniff where nothing is sent.
void run_simulated(simulation& sim, session& s, bool const& done, bool in_real_time) {
    if (in_real_time)
        sim.run_in_real_time([&] { return done; });
    else
        sim.run();
    if (done || !s.on_interrupt) return;
    s.interrupted = true;
    s.on_interrupt();
    sim.run();
    s.interrupted = false;
}

/// A line of cause, then what mends it.
void print_refusal(std::string const& verb, session const& s) {
    auto facts = detail::facts_of_this_process();
    auto cause = detail::cause_of(facts);
    auto why = s.net.why();
    auto clause = detail::text_of(cause, facts);
    complain("sonde {}: no permission: {}\n", verb, why.empty() ? clause : why);
    for (auto const& line : detail::cures_of(cause, facts, fmt::format("sonde {} ...", verb)))
        complain("  {}\n", line);
}

std::string explained(session const& s, error_code ec) {
    auto const& about = s.net.why();
    return about.empty() ? ec.message() : fmt::format("{}: {}", about, ec.message());
}

}  // namespace

std::string could_not_leave(session const& s, std::uint64_t packets, error_code first) {
    if (packets == 1)
        return printable(fmt::format("sonde: 1 packet could not leave: {}\n", explained(s, first)));
    return fmt::format("sonde: {} packets could not leave, the first: {}\n", packets, first.message());
}

int status_of(error_code ec) {
    if (ec.category() != sonde_category()) return system_error;
    switch (static_cast<errc>(ec.value())) {
        case errc::permission:
        case errc::no_such_interface:
        case errc::interface_down:
        case errc::no_route:
        case errc::no_neighbour:
        case errc::host_not_found:
        case errc::message_too_long:
        case errc::target_refused:
        case errc::target_blocked:
        case errc::truncated_file:
        case errc::bad_file:
        case errc::unsupported_link_type:
        case errc::table_full:
        case errc::identities_exhausted: return system_error;
        default: return usage;
    }
}

int run(std::string const& verb, arguments const& a, std::function<asio::awaitable<int>(session&)> body) {
    if (a.has("pace") && !a.has("sim")) throw usage_error("--pace goes with --sim");
    asio::io_context real(1);
    std::optional<simulation> sim;
    if (a.has("sim")) sim.emplace().add_lab();
    auto& loop = sim ? sim->context() : real;
    session s{network(loop, network_options_of(a))};
    s.net.block(blocked_by(a));
    bool done = false;
    int status = system_error;
    interruption signals(loop, [&s] {
        s.interrupted = true;
        if (s.on_interrupt) s.on_interrupt();
    });
    asio::co_spawn(loop, body(s), [&](std::exception_ptr e, int result) {
        signals.forget();
        done = true;
        status = result;
        try {
            if (e) std::rethrow_exception(e);
        } catch (boost::system::system_error const& failure) {
            if (failure.code() == errc::permission && !sim) {
                print_refusal(verb, s);
                status = system_error;
                return;
            }
            bool ours = failure.code().category() == sonde_category() && !s.net.why().empty();
            complain("sonde {}: {}\n", verb, ours ? explained(s, failure.code()) : message_of(failure));
            status = status_of(failure.code());
        } catch (usage_error const& failure) {
            complain("sonde {}: {}\n", verb, failure.what());
            status = usage;
        } catch (std::exception const& failure) {
            complain("sonde {}: {}\n", verb, failure.what());
            status = system_error;
        }
    });
    if (sim)
        run_simulated(*sim, s, done, a.has("pace"));
    else
        loop.run();
    if (!done) complain("sonde {}: it did not end, and nothing is left that could happen\n", verb);
    // While a signal that comes again is still ours. What could not be written has been told of.
    status == system_error ? static_cast<void>(std::fflush(stdout)) : flush_results();
    return s.interrupted ? interrupted : status;
}

packet_source read_packets(std::string const& text) {
    std::error_code ec;
    auto extension = std::filesystem::path(text).extension();
    bool named = extension == ".pcap" || extension == ".pcapng" || extension == ".cap";
    if (named || std::filesystem::is_regular_file(text, ec)) return packet_source(read_pcap(text));
    // Words without any parenthesis or quote are a payload, as in Scapy's sendp("some text"): no layer is
    // written so.
    if (text.find(' ') != text.npos && text.find('(') == text.npos && text.front() != '"' &&
        text.front() != '\'' && !text.starts_with("b'") && !text.starts_with("b\""))
        return packet_source(packet(text));
    auto packets = parse_packets(text);
    if (packets.size() == 1) return packet_source(std::move(packets.front()));
    return packet_source(std::move(packets));
}

}  // namespace sonde::inline v0::tool
