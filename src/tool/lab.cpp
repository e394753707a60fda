#include "tool/lab.hpp"

#include "tool/lab_hosts.hpp"
#include "tool/lab_process.hpp"
#include "tool/lab_services.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace sonde::inline v0 {
namespace {

constexpr char const* help = R"(Usage: sonde lab -- COMMAND [ARGUMENT...]

Run COMMAND in a private network made for it, in which whole address ranges answer from a real
TCP/IP stack. Nothing that is sent in there can reach any other network. No root is needed.

The network: COMMAND runs on a host with one interface, eth1, joined to a second host, the target.
  here      198.51.100.1/24  2001:db8:ffff::1/64   default routes through the target
  target    198.51.100.2     2001:db8:ffff::2      and every address of 198.18.0.0/15, 2001:db8::/32

What every address of 198.18.0.0/15 and 2001:db8::/32 does:
  ping      answers; no ICMP message is ever held back by a rate limit
  TCP       ports 22, 80 and 443 are open (they accept, then close); all others answer with RST
  UDP       port 7 echoes; all others answer port unreachable
  names     nothing serves DNS: names resolve by /etc/hosts only
But these never answer anything:
  silent    198.19.248.0/24  2001:db8:dead::/48
Nobody is on the cable at the other addresses of 198.51.100.0/24 and 2001:db8:ffff::/64.

COMMAND runs as root of a private user namespace (or as root, for root), so that it may open packet
sockets, set addresses and routes, and so on. Its input, output and exit status are untouched; files
belong to you as ever. SONDE_LAB=1 is set, and `sonde` is this program. When COMMAND ends, so does
everything that it has started.

Examples:
  sonde lab -- sonde sr1 'IP(dst="198.18.0.1")/ICMP()'
  sonde lab -- ping -c 3 2001:db8::1
  sonde lab -- bash                      # a shell; leave it with exit
  sonde lab -- sh -c 'tcpdump -i eth1 -c 4 & sleep 1; ping -c 2 198.18.0.1; wait'

Exit status: that of COMMAND (128 + signal when it was killed, 127 when there is no such command),
2 for wrong usage, 3 when the lab cannot be made.
)";

std::string first_line(char const* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// Why user namespaces may be refused, most specific first, and what to do about it.
void explain_refusal() {
    char const* why = "this system, or the container that this runs in, forbids namespaces to ordinary users";
    char const* remedy = nullptr;
    if (first_line("/proc/sys/kernel/unprivileged_userns_clone") == "0") {
        why = "kernel.unprivileged_userns_clone is 0: user namespaces are for root only";
        remedy = "sudo sysctl kernel.unprivileged_userns_clone=1";
    } else if (first_line("/proc/sys/user/max_user_namespaces") == "0") {
        why = "user.max_user_namespaces is 0: user namespaces are switched off";
        remedy = "sudo sysctl user.max_user_namespaces=10000";
    } else if (first_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1") {
        why = "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor restricts user namespaces";
        remedy = "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0";
    }
    std::fprintf(stderr, "  because:      %s\n", why);
    if (remedy) std::fprintf(stderr, "  allow it:     %s\n", remedy);
    std::fprintf(stderr,
                 "  or use root:  sudo sonde lab -- COMMAND...\n"
                 "  in Docker:    add --privileged, or --cap-add SYS_ADMIN --cap-add NET_ADMIN "
                 "--security-opt apparmor=unconfined\n");
}

/// The lab could not be made: says what failed, and how to go on. Gives the exit status.
int refuse(std::system_error const& e) {
    std::fprintf(stderr, "sonde lab: cannot make the lab: %s\n", e.what());
    int code = e.code().value();
    if (code == EPERM || code == EACCES || code == ENOSPC || code == EINVAL || code == EROFS)
        explain_refusal();
    return 3;
}

/// What COMMAND finds in its environment: that it is in the lab, and this very program when it runs `sonde`.
void set_environment() {
    ::setenv("SONDE_LAB", "1", 1);
    std::error_code ec;
    auto self = std::filesystem::read_symlink("/proc/self/exe", ec);
    if (ec || self.filename() != "sonde") return;
    char const* path = std::getenv("PATH");
    auto directory = self.parent_path().string();
    ::setenv("PATH", path ? (directory + ":" + path).c_str() : directory.c_str(), 1);
}

int run_inside(std::vector<std::string> const& command, sigset_t const& mask) {
    detail::mount_proc();
    detail::lab_hosts hosts;
    detail::lab_services services;
    hosts.enter_probe();
    detail::mount_sys();
    detail::mount_resolver();
    detail::start_helper("sonde-lab", [&services] { services.serve(); });
    return detail::run_command(command, mask);
}

}  // namespace

int run_lab(std::vector<std::string> const& argv) {
    auto command = argv;
    if (!command.empty() && (command[0] == "--help" || command[0] == "-h")) {
        std::fputs(help, stdout);
        return 0;
    }
    if (!command.empty() && command[0] == "--") {
        command.erase(command.begin());
    } else if (!command.empty() && command[0].starts_with("-")) {
        std::fprintf(stderr, "sonde lab: unknown option %s; see sonde lab --help\n", command[0].c_str());
        return 2;
    }
    if (command.empty()) {
        std::fputs("sonde lab: no command to run\n", stderr);
        std::fputs(help, stderr);
        return 2;
    }
    set_environment();
    return detail::run_as_init([&command](sigset_t const& mask) { return run_inside(command, mask); },
                               refuse);
}

}  // namespace sonde::inline v0
