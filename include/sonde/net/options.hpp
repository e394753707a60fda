#pragma once

#include <sonde/error.hpp>
#include <sonde/packet/address.hpp>
#include <sonde/probe/adaptive.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

SONDE_NAMESPACE_BEGIN

/// The name of a network interface, held inside (15 bytes, IFNAMSIZ): `{.iface = "eth1"}`. Empty: by the
/// route.
class if_name {
public:
    constexpr if_name() = default;
    /// Throws no_such_interface when the text is too long to be an interface's name. Whether there is one is
    /// seen when it is used.
    /// @{
    constexpr if_name(std::string_view name) {
        if (name.size() > capacity) throw_error(errc::no_such_interface, name);
        for (std::size_t i = 0; i < name.size(); ++i) text_[i] = name[i];
    }
    constexpr if_name(char const* name) : if_name(std::string_view(name)) {}
    if_name(std::string const& name) : if_name(std::string_view(name)) {}
    /// @}

    /// The name. Valid as long as this.
    constexpr std::string_view view() const { return text_; }
    /// True when no interface is named.
    constexpr bool empty() const { return text_[0] == 0; }
    /// By the names.
    friend constexpr bool operator==(if_name const& a, if_name const& b) { return a.view() == b.view(); }

private:
    static constexpr std::size_t capacity = 15;
    char text_[capacity + 1]{};
};

/// A network namespace, held inside: `{.netns = "blue"}` is /run/netns/blue, as `ip netns add blue` makes it;
/// a text with a `/` is a path (`"/proc/4711/ns/net"`); a number is an open descriptor of one, which is
/// duplicated. Empty: the thread's own.
class netns_option {
public:
    constexpr netns_option() = default;
    /// A name or a path. Throws bad_text when the text has over 127 bytes.
    /// @{
    constexpr netns_option(std::string_view name) {
        if (name.size() > capacity) throw_error(errc::bad_text, name);
        for (std::size_t i = 0; i < name.size(); ++i) text_[i] = name[i];
    }
    constexpr netns_option(char const* name) : netns_option(std::string_view(name)) {}
    netns_option(std::string const& name) : netns_option(std::string_view(name)) {}
    /// @}
    /// An open descriptor of a namespace, which stays the caller's.
    constexpr netns_option(int descriptor) : descriptor_(descriptor) {}

    /// The name or path; empty when it has a descriptor, or none of these. Valid as long as this.
    constexpr std::string_view name() const { return text_; }
    /// -1 when it has a name, or is empty.
    constexpr int descriptor() const { return descriptor_; }
    /// True for the thread's own namespace.
    constexpr bool empty() const { return text_[0] == 0 && descriptor_ < 0; }

private:
    static constexpr std::size_t capacity = 127;
    char text_[capacity + 1]{};
    int descriptor_ = -1;
};

/// A count that does not end.
inline constexpr std::uint64_t forever = std::numeric_limits<std::uint64_t>::max();

/// How `send` and `sendp` send.
struct send_options {
    std::uint64_t count = 1;           ///< repeats of the whole set; 0 sends nothing
    std::chrono::nanoseconds inter{};  ///< from one packet to the next
    bool loop = false;                 ///< repeat until cancelled, whatever `count` says
    double rate = 0;                   ///< packets per second at most; 0: as fast as the kernel takes them
    if_name iface{};                   ///< the interface; empty: by the route, for `sendp` the default one
    bool realtime = false;             ///< keep the gaps between the packets' own times (replay)
    double bit_rate = 0;  ///< bits per second at most, of the frames from their link layer on; 0: no limit
    /// Each packet leaves by its own `packet::interface`, in order over all of them; where that is 0 by
    /// `iface`.
    bool own_iface = false;
};

/// How `sr`, `sr1`, `srp`, `srp1` probe.
struct sr_options {
    /// Of each attempt, from the moment that it left. `adaptive`: as answers take (RFC 6298), 100 ms to 3 s,
    /// 1 s before the first; doubled with each retry. See `rtt_table`.
    timeout_option timeout = std::chrono::seconds(2);
    int retry = 0;  ///< attempts after the first; -n: until n rounds in a row bring nothing new
    std::chrono::nanoseconds inter{};  ///< from one packet to the next
    /// Packets per second at most; 0: no limit. `adaptive`: from 100 on, as the path bears it. Loss is seen
    /// by answers to retries, so `retry` should be at least 1. See `rate_control`.
    rate_option rate = 0;
    if_name iface{};               ///< the interface; empty: by the route, for `srp` the default one
    std::string_view filter{};     ///< pcap-filter(7): of the answers, only these count. Copied by the call
    bool multi = false;            ///< yield every answer, not only the first; ends at the timeout
    std::uint32_t window = 16384;  ///< probes in flight at most
    bool relaxed = false;          ///< takes what Scapy takes as an answer: UDP from any port …; see `match`
    /// Answers that come in fragments count when they are whole, not by their first fragment. While this
    /// probes, that holds for all probes of the network.
    bool reassemble = false;
    double bit_rate = 0;  ///< bits per second at most, of the frames from their link layer on; 0: no limit
    /// Yield the probes without an answer too, with their `outcome`, each when it is known. `collect` has
    /// them in its second list anyway.
    bool unanswered = false;
};

/// How `srloop` and `srploop` repeat.
struct loop_options {
    std::uint64_t count = forever;                             ///< rounds; 0 sends nothing
    std::chrono::nanoseconds inter = std::chrono::seconds(1);  ///< from the start of one round to the next
    /// As in sr_options; negative: 2 x inter (2 s where that is 0), 5 s at most.
    timeout_option timeout = std::chrono::nanoseconds(-1);
    int retry = 0;              ///< as in sr_options
    if_name iface{};            ///< as in sr_options
    std::string_view filter{};  ///< as in sr_options
};

/// What `sniff` captures. Packets for a slow consumer wait in the kernel (`network_options::receive_buffer`);
/// the newest are dropped when that is full, and counted as `kernel_drops`.
struct sniff_options {
    if_name iface{};                     ///< empty: all interfaces
    std::string_view filter{};           ///< pcap-filter(7), run by the kernel. Copied by the call
    std::uint64_t count = 0;             ///< ends after so many packets; 0: never
    std::chrono::nanoseconds timeout{};  ///< ends after so long; 0: never
    bool promisc = true;                 ///< also frames for other hosts
    /// Yield whole packets instead of fragments; see `reassembler` for its limits. `filter` sees fragments:
    /// of a UDP or TCP packet only the first has ports.
    bool reassemble = false;
};

static_assert(std::is_trivially_destructible_v<send_options> &&
              std::is_trivially_destructible_v<sr_options> &&
              std::is_trivially_destructible_v<loop_options> &&
              std::is_trivially_destructible_v<sniff_options>);

SONDE_NAMESPACE_END
