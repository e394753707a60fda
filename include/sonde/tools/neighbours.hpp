#pragma once

#include <sonde/net/network.hpp>
#include <sonde/packet/address_set.hpp>

#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>

SONDE_NAMESPACE_BEGIN
namespace tools {

/// How `neighbours` asks.
struct neighbour_options {
    std::chrono::nanoseconds timeout = std::chrono::seconds(1);  ///< of each attempt
    int retry = 1;    ///< attempts after the first; as in sr_options
    double rate = 0;  ///< packets per second at most; 0: no limit
    if_name iface{};  ///< empty: the default interface
};

/// Who answered on the link.
struct neighbour {
    ip_address address{};            ///< the one that was asked about; to all nodes, whoever answered
    mac hardware{};                  ///< as the answer tells it
    std::chrono::nanoseconds rtt{};  ///< of this answer
    bool duplicate = false;          ///< another hardware address has answered for this address before
};

/// Asks who is on the link: by ARP for each IPv4 address, by neighbour solicitation for each IPv6 address;
/// with none, by an echo request to all nodes (ff02::1), which answer from their link-local addresses. Routes
/// are not asked.
///
/// Lifetimes: the network must outlive it. Threads: the network's executor only. Cost: as `srp`, and an entry
/// for each neighbour.
class neighbours {
public:
    /// No `addresses`: asks all nodes. Sends nothing before the first `next`. Throws set_too_large
    /// from 2^64 addresses on.
    neighbours(network& net, address_set const& addresses, neighbour_options options = {});

    /// The next neighbour, or a further hardware address of one.
    /// Completes when: there is one; nothing at the end. Result and errors: throws what ended it as a whole
    /// (permission, no_such_interface …). Cancellation: use `stop`. Lifetimes: this must outlive it. Threads:
    /// see above.
    boost::asio::awaitable<std::optional<neighbour>> next();

    /// Sends nothing more; `next` gives what has come, then nothing.
    void stop() { probes_.stop(); }
    /// Packets so far; as of `srp`.
    sonde::report report() const { return probes_.report(); }

private:
    std::map<ip_address, std::set<mac>> seen_;
    exchange_stream probes_;
};

/// The vendors of hardware addresses, from the first file of these that is there: ieee-data's oui.txt,
/// arp-scan's, nmap's, Wireshark's. A value; const members: any thread.
class vendor_table {
public:
    /// Empty when the system has none of these files.
    static vendor_table of_system();
    /// Lines that begin with six hexadecimal digits (with - or : or without), then the name. Others are
    /// passed over; a file that cannot be read makes an empty table.
    explicit vendor_table(std::string const& path);
    vendor_table() = default;

    /// Empty when it is not known.
    std::string_view vendor_of(mac const& hardware) const;
    /// How many prefixes of 24 bits it knows.
    std::size_t size() const noexcept { return names_.size(); }

private:
    std::map<std::uint32_t, std::string> names_;
};

}  // namespace tools
SONDE_NAMESPACE_END
