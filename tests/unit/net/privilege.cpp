// Why there is no packet socket, from facts alone.
#include "net/privilege.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <string>

using namespace sonde::detail;

namespace {

constexpr std::uint64_t net_raw = 1 << 13, all = (std::uint64_t(1) << 41) - 1;

/// An ordinary user's process.
privilege_facts nobody() {
    privilege_facts f;
    f.bounding = all;
    f.program = "/usr/bin/sonde";
    f.group = 1000;
    return f;
}

privilege_facts with_file(std::uint64_t permitted, bool effective = true) {
    auto f = nobody();
    f.file = file_capability{permitted, effective};
    return f;
}

bool names(std::vector<std::string> const& lines, std::string_view what) {
    return std::ranges::any_of(lines, [&](auto const& l) { return l.find(what) != l.npos; });
}

/// The lines are four at most, the last the lab's, and one has `what`.
void check_cures(privilege_facts const& f, std::string_view what) {
    auto lines = cures_of(cause_of(f), f, "sonde ping ...");
    INFO(text_of(cause_of(f), f));
    REQUIRE(!lines.empty());
    CHECK(lines.size() <= 4);
    CHECK(names(lines, what));
    CHECK(lines.back().ends_with("sonde lab -- sonde ping ..."));
}

}  // namespace

TEST_CASE("a user without any capability is told of setcap, sudo, and ping's group range with its group") {
    auto f = nobody();
    CHECK(cause_of(f) == refusal_cause::no_capability);
    CHECK(why_refused(f) == "this process does not have CAP_NET_RAW");
    check_cures(f, "sudo setcap cap_net_raw+ep /usr/bin/sonde");
    check_cures(f, "(now \"1 0\", your group is 1000)");
    f.ping_groups = {0, 2147483647};
    CHECK_FALSE(names(cures_of(cause_of(f), f, "x"), "ping_group_range"));
    f.root = true;
    CHECK(why_refused(f) == "this process is root, but does not have CAP_NET_RAW");
    f.file = file_capability{1 << 12, true};  // another capability's
    CHECK(cause_of(f) == refusal_cause::no_capability);
}

TEST_CASE(
    "a file's capability that had no effect is told with what took it: no_new_privs, nosuid, a user "
    "namespace") {
    auto f = with_file(net_raw);
    f.no_new_privs = true;
    CHECK(cause_of(f) == refusal_cause::file_ignored_no_new_privs);
    check_cures(f, "NoNewPrivileges=no");
    f = with_file(net_raw);
    f.nosuid = true;
    CHECK(cause_of(f) == refusal_cause::file_ignored_nosuid);
    CHECK(why_refused(f) ==
          "CAP_NET_RAW of the file /usr/bin/sonde has no effect: its file system is mounted nosuid");
    check_cures(f, "findmnt");
    f = with_file(net_raw);
    f.first_user_namespace = false;
    CHECK(cause_of(f) == refusal_cause::file_ignored_user_namespace);
    check_cures(f, "rootless container");
    f = with_file(net_raw, false);
    CHECK(cause_of(f) == refusal_cause::file_without_effect);
    check_cures(f, "cap_net_raw+ep");
}

TEST_CASE(
    "a process that cannot have the capability is told of its container or service, whatever its file has") {
    auto f = with_file(net_raw);
    f.bounding = all & ~net_raw;
    f.root = true;
    CHECK(cause_of(f) == refusal_cause::bounded);
    check_cures(f, "--cap-add NET_RAW");
    check_cures(f, "CapabilityBoundingSet=CAP_NET_RAW");
}

TEST_CASE("a process that has the capability is told whose network it is, or who else refuses") {
    auto f = nobody();
    f.effective = net_raw;
    f.owns_network = false;
    CHECK(cause_of(f) == refusal_cause::foreign_network);
    check_cures(f, "unshare -rn");
    f.owns_network = true;
    CHECK(cause_of(f) == refusal_cause::refused_nevertheless);
    CHECK(why_refused(f).find("seccomp") == std::string::npos);
    f.filtered = true;
    CHECK(why_refused(f).find("seccomp filter") != std::string::npos);
    check_cures(f, "nft list ruleset");
}

TEST_CASE("the facts are read from /proc/PID/status") {
    privilege_facts f;
    read_status(
        "Name:\tsonde\nCapPrm:\tffff\nCapEff:\t0000000000002000\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\n"
        "Seccomp:\t2\nSeccomp_filters:\t1\nbroken line\n",
        f);
    CHECK(f.effective == net_raw);
    CHECK(f.bounding == all);
    CHECK(f.no_new_privs);
    CHECK(f.filtered);
    read_status("NoNewPrivs:\t0\nSeccomp:\t1\n", f);
    CHECK_FALSE(f.no_new_privs);
    CHECK_FALSE(f.filtered);
}

TEST_CASE("a file's capabilities are read in both versions that setcap writes, and nothing else is") {
    std::array<unsigned char, 24> const attribute = {1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0x02};
    auto bytes = std::as_bytes(std::span(attribute));
    auto two = parse_file_capability(bytes.first(20));
    REQUIRE(two);
    CHECK(two->permitted == (net_raw | std::uint64_t(2) << 32));
    CHECK(two->effective);
    auto other = attribute;
    other[0] = 0, other[3] = 3;
    auto three = parse_file_capability(std::as_bytes(std::span(other)));
    REQUIRE(three);
    CHECK_FALSE(three->effective);
    other[3] = 1;
    CHECK_FALSE(parse_file_capability(std::as_bytes(std::span(other))));
    CHECK_FALSE(parse_file_capability(bytes.first(19)));
    CHECK_FALSE(parse_file_capability({}));
}
