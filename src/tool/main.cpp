#include "tool/commands.hpp"
#include "tool/lab.hpp"
#include "tool/options.hpp"
#include "tool/output.hpp"
#include "tool/text_commands.hpp"
#include "tool/text_lines.hpp"

#include <sonde/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace {

using sonde::tool::words;

constexpr auto help = R"(Usage: sonde COMMAND [ARGUMENTS]

Send packets and await their answers, with Scapy's verbs and packet expressions.

Send and receive (need CAP_NET_RAW, or the lab):
  send      send packets at layer 3          sendp     send frames at layer 2
  sr        send, print all answers          srp       the same at layer 2
  sr1       send, print the first answer     srp1      the same at layer 2
  srloop    send and receive in rounds       srploop   the same at layer 2
  sniff     print packets as they come

Tools:
  ping      many targets side by side        traceroute  the way to several targets, MTU and MPLS too
  scan      ports and addresses              merge       join what the shards of a scan found
  arping    who is on the link (ARP)         ndping      who is on the link (IPv6)
  replay    a capture file, to its times     show        layers beside their bytes

Packets as text (need nothing):
  build     expressions to bytes             dissect   bytes to layers
  match     does one packet answer another           layers    what expressions know

  completion bash|zsh   what the shell can complete    man TOOL   the manual page of a tool

  lab       run a command in a private network that answers: try everything here
  --sim     option of the verbs: on a simulated network that answers, with no privileges at all

sonde COMMAND --help tells more. For example:
  sonde lab -- sonde sr1 'IP(dst="198.18.0.1")/ICMP()/"XXXXXXXXXXX"'

Exit status: 0 answered, 1 no answer (or some line in error), 2 usage, 3 system (permission, interface, route),
130 interrupted.
)";

int dispatch(std::string const& command, words const& arguments) {
    using namespace sonde::tool;
    if (command == "--help" || command == "-h" || command == "help") return fmt::print("{}", help), answered;
    if (command == "--version" || command == "-V") return fmt::print("sonde {}\n", SONDE_VERSION), answered;
    for (auto const& c : commands())
        if (c.name == command) return c.run(command, arguments);
    if (command == "lab") return sonde::run_lab(arguments);
    if (command == "build") return run_build(arguments);
    if (command == "dissect") return run_dissect(arguments);
    if (command == "match") return run_match(arguments);
    if (command == "layers") return run_layers(arguments);
    throw usage_error(fmt::format("no command \"{}\"; sonde --help lists them", command));
}

/// A standard stream that the caller has closed stays unusable: else the next descriptor would take its
/// number, and a socket might be written to as if it were the output.
void keep_closed_streams() {
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

}  // namespace

int main(int argc, char** argv) {
    keep_closed_streams();
    using sonde::tool::complain;
    words arguments(argv + 1, argv + argc);
    if (arguments.empty()) {
        sonde::tool::say(help);
        return sonde::tool::usage;
    }
    auto command = arguments.front();
    arguments.erase(arguments.begin());
    try {
        auto status = dispatch(command, arguments);
        if (status != sonde::tool::system_error) sonde::tool::flush_results();
        return status;
    } catch (sonde::tool::usage_error const& e) {
        complain("sonde {}: {}\n", command, e.what());
        return sonde::tool::usage;
    } catch (boost::system::system_error const& e) {
        complain("sonde {}: {}\n", command, sonde::tool::message_of(e));
        return sonde::tool::status_of(e.code());
    } catch (std::exception const& e) {
        complain("sonde {}: {}\n", command, e.what());
        return sonde::tool::system_error;
    }
}
