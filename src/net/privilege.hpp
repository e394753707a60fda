#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Why the kernel refuses a packet socket, told from what a process may know of itself; capabilities(7).
namespace sonde::inline v0::detail {

/// What the file of a program grants.
struct file_capability {
    std::uint64_t permitted = 0;
    bool effective = false;  ///< from its start, as `setcap …+ep` has it
};
/// Reads the extended attribute security.capability, of version 2 or 3.
std::optional<file_capability> parse_file_capability(std::span<std::byte const> attribute);

struct privilege_facts {
    bool root = false;                 ///< effective user 0
    std::uint64_t effective = 0;       ///< CapEff
    std::uint64_t bounding = 0;        ///< CapBnd: what the process could have at most
    bool no_new_privs = false;         ///< so that exec grants nothing
    bool filtered = false;             ///< a seccomp filter looks at its system calls
    bool nosuid = false;               ///< how the program's file system is mounted
    bool first_user_namespace = true;  ///< the system's own
    bool owns_network = true;          ///< its network namespace belongs to its user namespace
    std::optional<file_capability> file{};
    std::string program = "PROGRAM";  ///< path of its file
    std::uint32_t group = 0;
    std::pair<std::uint32_t, std::uint32_t> ping_groups{1, 0};  ///< who may open ping sockets, by group
};

/// Reads CapEff, CapBnd, NoNewPrivs and Seccomp from the text of /proc/PID/status.
void read_status(std::string const& text, privilege_facts& to);

/// Those of this thread, as far as they can be read. Some ten system calls.
privilege_facts facts_of_this_process();

enum class refusal_cause {
    no_capability,        ///< nobody gave it any
    bounded,              ///< it cannot have it: a container, a service, without it
    file_without_effect,  ///< the file has it permitted, but does not raise it
    file_ignored_no_new_privs,
    file_ignored_nosuid,
    file_ignored_user_namespace,
    foreign_network,       ///< it has it, but not over this network namespace
    refused_nevertheless,  ///< it has it: a seccomp filter, a security module, a firewall
};

/// Why this process gets no raw or packet socket.
refusal_cause cause_of(privilege_facts const& f);
/// The cause as a clause: "this process does not have CAP_NET_RAW".
std::string text_of(refusal_cause cause, privilege_facts const& f);
/// What mends it, four lines at most, each "how: what". `command` is the command line.
std::vector<std::string> cures_of(refusal_cause cause, privilege_facts const& f, std::string const& command);

/// The clause of its cause.
inline std::string why_refused(privilege_facts const& f) {
    return text_of(cause_of(f), f);
}

}  // namespace sonde::inline v0::detail
