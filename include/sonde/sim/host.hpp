#pragma once

#include <sonde/link/wire.hpp>
#include <sonde/packet/address.hpp>
#include <sonde/packet/packet.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// What a scripted host says, and when. Good during the call only.
class replies {
public:
    /// An IP packet leaves the host `after` this moment, and its `think` time.
    virtual void send(packet const& p, std::chrono::nanoseconds after = {}) = 0;
    /// The IP or IPv6 header of an answer: `out.send(out.back() / UDP{...} / "pong")`.
    virtual packet back() const = 0;
    /// Chance that the simulation's seed decides.
    virtual random_source& random() = 0;

protected:
    ~replies() = default;
};

/// What answers for an address, or for each address of a network. Members may change while the simulation
/// runs. (It owns memory: make it before a `co_await`, not inside its expression;
/// docs/design/co-await-safe.md.)
struct host {
    /// The layers that a UDP service puts into its answer; nothing: no answer.
    using service = std::function<std::optional<packet>(packet const& received)>;
    /// Sees each intact IP packet first. True: it has dealt with it.
    using script_function = std::function<bool(packet const& received, replies& out)>;

    std::vector<std::uint16_t> tcp{};           ///< open ports: SYN/ACK (RFC 9293 §3.10.7.2)
    std::map<std::uint16_t, service> udp{};     ///< open ports
    std::multimap<std::string, packet> zone{};  ///< names ("example.com.") and records that port 53 tells
    script_function script{};                   ///< none: the other members decide alone
    bool echo = true;                           ///< answers echo requests
    bool resets = true;                         ///< closed TCP ports answer RST (RFC 9293 §3.10.7.1)
    bool unreachables = true;                   ///< closed UDP ports and unknown protocols answer ICMP errors
    std::chrono::nanoseconds think{};           ///< before each answer
    std::size_t quote = 548;  ///< bytes behind the IP header that ICMP errors quote; 8: RFC 792's
    double icmp_rate = 0;     ///< ICMP errors per second, of the path's routers too; 0: no limit
    double icmp_burst = 50;   ///< that may come at once

    /// Takes what comes and says nothing.
    static host silent();
};

/// The way to a host or network: what happens to frames in each direction, and the routers between.
struct path {
    /// What happens to frames on the way to it, and from it.
    /// @{
    link_conditions there{}, back{};
    /// @}
    std::vector<ip_address>
        routers{};  ///< each takes one from TTL and hop limit; an unspecified one is silent

    /// The same conditions both ways.
    static path both(link_conditions const& c) { return {c, c, {}}; }
};

SONDE_NAMESPACE_END
