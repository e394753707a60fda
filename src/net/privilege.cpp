#include "privilege.hpp"

#include <fmt/format.h>

#include <linux/capability.h>

#include <sstream>

namespace sonde::inline v0::detail {
namespace {

constexpr std::uint64_t net_raw = std::uint64_t(1) << CAP_NET_RAW;

std::uint32_t little_endian(std::span<std::byte const> b, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(b[at + i]);
    return value;
}

bool may_ping(privilege_facts const& f) {
    return f.ping_groups.first <= f.group && f.group <= f.ping_groups.second;
}

std::string line(std::string_view how, std::string const& what) {
    return fmt::format("{:<24} {}", std::string(how) + ":", what);
}

std::string in_the_lab(std::string const& command) {
    return line("try it safely first", fmt::format("sonde lab -- {}", command));
}

/// Where ping could do without, but this group may not.
void add_ping(std::vector<std::string>& to, privilege_facts const& f) {
    if (may_ping(f)) return;
    to.push_back(
        line("ping, no privilege",
             fmt::format("sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"   (now \"{} {}\", "
                         "your group is {})",
                         f.ping_groups.first, f.ping_groups.second, f.group)));
}

}  // namespace

std::optional<file_capability> parse_file_capability(std::span<std::byte const> attribute) {
    // struct vfs_cap_data: flags and version, then permitted and inheritable, low words first.
    if (attribute.size() < XATTR_CAPS_SZ_2) return {};
    auto magic = little_endian(attribute, 0);
    auto version = magic & VFS_CAP_REVISION_MASK;
    if (version != VFS_CAP_REVISION_2 && version != VFS_CAP_REVISION_3) return {};
    auto permitted = std::uint64_t(little_endian(attribute, 12)) << 32 | little_endian(attribute, 4);
    return file_capability{permitted, (magic & VFS_CAP_FLAGS_EFFECTIVE) != 0};
}

void read_status(std::string const& text, privilege_facts& to) {
    std::istringstream lines(text);
    for (std::string one; std::getline(lines, one);) {
        auto colon = one.find(':');
        if (colon == one.npos) continue;
        auto name = one.substr(0, colon);
        std::istringstream value(one.substr(colon + 1));
        unsigned number = 0;
        if (name == "CapEff") value >> std::hex >> to.effective;
        if (name == "CapBnd") value >> std::hex >> to.bounding;
        if (name == "NoNewPrivs" && value >> number) to.no_new_privs = number != 0;
        if (name == "Seccomp" && value >> number) to.filtered = number == 2;
    }
}

refusal_cause cause_of(privilege_facts const& f) {
    using enum refusal_cause;
    if (f.effective & net_raw) return f.owns_network ? refused_nevertheless : foreign_network;
    if (!(f.bounding & net_raw)) return bounded;
    if (!f.file || !(f.file->permitted & net_raw)) return no_capability;
    if (f.no_new_privs) return file_ignored_no_new_privs;
    if (f.nosuid) return file_ignored_nosuid;
    if (!f.first_user_namespace) return file_ignored_user_namespace;
    return f.file->effective ? no_capability : file_without_effect;
}

std::string text_of(refusal_cause cause, privilege_facts const& f) {
    auto ignored = "CAP_NET_RAW of the file " + f.program + " has no effect";
    switch (cause) {
        case refusal_cause::no_capability:
            return f.root ? "this process is root, but does not have CAP_NET_RAW"
                          : "this process does not have CAP_NET_RAW";
        case refusal_cause::bounded:
            return "this process cannot have CAP_NET_RAW, not as root either: its container or service is "
                   "without";
        case refusal_cause::file_without_effect: return ignored + ": it is permitted, but not effective";
        case refusal_cause::file_ignored_no_new_privs: return ignored + ": no_new_privs is set";
        case refusal_cause::file_ignored_nosuid: return ignored + ": its file system is mounted nosuid";
        case refusal_cause::file_ignored_user_namespace:
            return ignored + ": this is another user namespace than the file's";
        case refusal_cause::foreign_network:
            return "this process has CAP_NET_RAW in its user namespace, but the network belongs to another";
        case refusal_cause::refused_nevertheless: break;
    }
    return f.filtered
               ? "this process has CAP_NET_RAW: its seccomp filter, a security module or a firewall rule "
                 "refuses"
               : "this process has CAP_NET_RAW: a security module or a firewall rule refuses";
}

std::vector<std::string> cures_of(refusal_cause cause, privilege_facts const& f, std::string const& command) {
    std::vector<std::string> lines;
    auto setcap = fmt::format("sudo setcap cap_net_raw+ep {}", f.program);
    auto sudo = line("this run", "sudo " + command);
    switch (cause) {
        case refusal_cause::no_capability:
            lines = {line("this program, for good", setcap), sudo};
            add_ping(lines, f);
            break;
        case refusal_cause::bounded:
            lines = {
                line("container", "--cap-add NET_RAW   pod: securityContext.capabilities.add: [\"NET_RAW\"]"),
                line("systemd service", "CapabilityBoundingSet=CAP_NET_RAW AmbientCapabilities=CAP_NET_RAW")};
            add_ping(lines, f);
            break;
        case refusal_cause::file_without_effect:
            lines = {line("this program, for good", setcap), sudo};
            break;
        case refusal_cause::file_ignored_no_new_privs:
            lines = {line("container",
                          "without --security-opt no-new-privileges   pod: allowPrivilegeEscalation: true"),
                     line("systemd service", "NoNewPrivileges=no, or AmbientCapabilities=CAP_NET_RAW")};
            add_ping(lines, f);
            break;
        case refusal_cause::file_ignored_nosuid:
            lines = {line("where it is not nosuid", "findmnt -T FILE; copy it there, and setcap the copy"),
                     sudo};
            add_ping(lines, f);
            break;
        case refusal_cause::file_ignored_user_namespace:
            lines = {
                line("outside", "run it where the file's capability counts: not in a rootless container"),
                line("inside", "as root of this user namespace")};
            add_ping(lines, f);
            break;
        case refusal_cause::foreign_network:
            lines = {line("a network of its own", "unshare -rn " + command + "   (loopback only)"),
                     line("container", "its own network in place of --network host, or no user namespace")};
            add_ping(lines, f);
            break;
        case refusal_cause::refused_nevertheless:
            lines = {
                line("who refuses", "journalctl -k | grep -iE 'denied|seccomp'; nft list ruleset"),
                line("container", "--security-opt seccomp=PROFILE that has socket(AF_PACKET)"),
                line("systemd service", "RestrictAddressFamilies=AF_PACKET AF_INET AF_INET6 AF_NETLINK")};
    }
    lines.push_back(in_the_lab(command));
    return lines;
}

}  // namespace sonde::inline v0::detail
