#pragma once

#include "tool/options.hpp"
#include "tool/output.hpp"
#include "tool/verbs.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace sonde::inline v0::tool {

/// What a verb's coroutine works with.
struct session {
    network net;
    bool interrupted = false;              ///< Ctrl-C came: print what there is and end
    std::function<void()> on_interrupt{};  ///< ends what is going on
};

/// A line that so many packets could not leave, the first for this reason. What the network can tell of the
/// latest is told of the only one: "198.51.100.77: the next hop does not answer …".
std::string could_not_leave(session const& s, std::uint64_t packets, error_code first);

/// Runs a verb on an event loop of its own. The first SIGINT or SIGTERM calls `on_interrupt`, a second one
/// ends the process. Errors go to stderr with their remedy. With `--sim` the network is a simulated one.
/// Gives the exit status.
int run(std::string const& verb, arguments const& a,
        std::function<boost::asio::awaitable<int>(session&)> body);

/// The packets of an expression, or of a capture file where `text` names one.
packet_source read_packets(std::string const& text);

}  // namespace sonde::inline v0::tool
