#pragma once

#include <sonde/packet/address.hpp>
#include <sonde/packet/address_set.hpp>
#include <sonde/packet/packet.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

SONDE_NAMESPACE_BEGIN
namespace tools {

/// Targets as people write them: `198.18.0.1`, `198.18.0.0/24`, `198.18.0.1-198.18.3.4`, `198.18.0.1-9`,
/// `2001:db8::/120`, `host.example`. A value; const members: any thread.
///
///     target_list targets;
///     targets.add("198.51.100.0/24");
///     auto run = ping(net, targets.in_order(), {.count = 3, .named_by = &targets});
///
/// It remembers how each was named: a broadcast address that a network happens to hold is not one that
/// somebody wrote, and the tools that know of the list (`named_by`) refuse it as the verbs do; see
/// `target_policy`. An address alone counts as written.
class target_list {
public:
    /// Adds what one word stands for. Throws bad_text that names the word.
    void add(std::string_view word);
    /// Adds the words of a file: any number on a line, `#` begins a comment. Throws bad_text that names file
    /// and line.
    void add_lines(std::istream& in, std::string_view name);

    /// Looks the host names up, and forgets them for their first address of the family that is wanted.
    /// Completes when: the last name has its answer, or one has none. Result and errors: throws
    /// host_not_found that names the host. Cancellation: as Asio's resolver. Lifetimes: the list must outlive
    /// it. Threads: the coroutine's. Cost: a lookup for each name.
    boost::asio::awaitable<void> resolve(bool v6 = false);

    /// All addresses, each once. Host names that were not looked up are not among them.
    address_set addresses() const { return address_set(networks_); }
    /// The addresses in the order in which they were written. Throws set_too_large above `limit`.
    std::vector<ip_address> in_order(std::size_t limit = 65536) const;

    /// Host names that were not looked up.
    std::vector<std::string> const& names() const noexcept { return names_; }
    /// True when there are neither addresses nor names.
    bool empty() const noexcept { return networks_.empty() && names_.empty(); }

    /// The probe, whose first layer is IP or IPv6, with how its destination was named; as it is when the list
    /// does not know of it. Cost: the logarithm of the list's length.
    packet named(packet probe) const;

private:
    void add_drawn(ip_address first, ip_address last);
    void add_interval(ip_address const& first, ip_address const& last);
    bool is_drawn(ip_address const& a) const;

    std::vector<std::string> networks_, names_;
    std::set<ip_address> written_, looked_up_;
    std::map<ip_address, ip_address> drawn_;  // of networks and ranges the first by the last, disjoint
};

/// How many addresses these are. Throws set_too_large from 2^64 on.
std::uint64_t count_of(address_set const& addresses);

}  // namespace tools
SONDE_NAMESPACE_END
