#pragma once

#include <sonde/error.hpp>
#include <sonde/packet/address.hpp>
#include <sonde/packet/format.hpp>
#include <sonde/packet/packet.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// What became of a probe: one of five. `{}` prints "answered", "ICMP error 3/1 from 198.18.0.254" …
/// A trivially destructible aggregate.
struct probe_outcome {
    /// What can become of it.
    enum class kind : std::uint8_t {
        answered,     ///< an answer came
        icmp_error,   ///< a router or the target reported an error by ICMP or ICMPv6: `type code router`
        timed_out,    ///< nothing came until the last attempt's deadline
        send_failed,  ///< it could not leave: `error`
        cancelled,    ///< its `sr` was stopped before anything came
    };
    kind what = kind::timed_out;  ///< which of the five; the members below are set where it says so
    /// Of the ICMP error (RFC 792) or ICMPv6 error (RFC 4443).
    /// @{
    std::uint8_t type = 0, code = 0;
    /// @}
    ip_address router{};  ///< who sent the ICMP error
    error_code error{};   ///< why it could not leave

    /// Member by member.
    friend bool operator==(probe_outcome const&, probe_outcome const&) = default;
};

/// A probe and its answer. A value that owns both packets.
class exchange {
public:
    exchange() {}  // no aggregate: see docs/design/co-await-safe.md
    /// `sent`, `received`, `attempt` and `round`; the rest as by default.
    exchange(packet s, packet r, std::uint16_t attempt_, std::uint64_t round_ = 0)
        : sent(std::move(s)), received(std::move(r)), attempt(attempt_), round(round_) {}

    packet sent;      ///< as it left: all fields filled in, `time` when
    packet received;  ///< as it came, from its outermost layer on; empty when nothing came
    std::uint16_t attempt =
        0;                    ///< which attempt was answered, 1 the first; unanswered: the last that was made
    std::uint64_t round = 0;  ///< of `srloop`, from 1; 0 otherwise
    bool ambiguous =
        false;  ///< the user fixed every identity: `attempt` and `rtt` may be those of an earlier attempt
    /// Of a probe without an answer: why it could not leave, operation_aborted when it was stopped, or
    /// nothing when it timed out.
    error_code failure{};
    /// The number of `sent` among the packets given, from 0: of a set, the one that `operator[]` takes; of a
    /// range or generator, how many came before it.
    std::uint64_t index = 0;

    /// False for a probe of `srloop`, or of `sr` with `unanswered`, that nothing answered. An ICMP error is
    /// an answer; `outcome` tells it from others.
    bool answered() const { return !received.empty(); }
    /// Cost: a look at each layer of the answer.
    probe_outcome outcome() const;
    /// From the moment that the attempt left to the kernel's receive stamp; zero when nothing came.
    std::chrono::nanoseconds rtt() const {
        return answered() ? received.time - sent.time : std::chrono::nanoseconds{};
    }
    /// `sent` and `received`, for `for (auto const& [sent, received] : ans)`.
    template <std::size_t I>
    packet const& get() const {
        static_assert(I < 2);
        return I == 0 ? sent : received;
    }
};

/// Answered probes, in the order in which the answers came.
class exchange_list : public std::vector<exchange> {
public:
    using std::vector<exchange>::vector;
    /// A line for each: "IP / TCP … S ==> IP / TCP … SA", as Scapy's `ans.summary()`.
    std::string summary() const;
};

/// Packets.
class packet_list : public std::vector<packet> {
public:
    using std::vector<packet>::vector;
    /// A line for each, as Scapy's `unans.summary()`.
    std::string summary() const;
};

/// Scapy's two lists: `auto [ans, unans] = co_await net.sr(…).collect();`
class collected {
public:
    collected() {}
    /// `answered` and `unanswered`.
    collected(exchange_list a, packet_list u) : answered(std::move(a)), unanswered(std::move(u)) {}

    /// In the order in which the answers came; without those that `next` has handed out.
    exchange_list answered;
    /// In the order of the set; without probes whose packet could not even be made.
    packet_list unanswered;
};

/// What `send` and `sendp` did.
struct send_report {
    std::uint64_t sent = 0;               ///< packets that the kernel took
    std::uint64_t bytes = 0;              ///< of their frames
    std::uint64_t send_errors = 0;        ///< packets that could not leave
    error_code first_error{};             ///< why the first of them could not
    std::chrono::nanoseconds duration{};  ///< from the first to the last
};

SONDE_NAMESPACE_END

/// @cond
template <>
struct std::tuple_size<sonde::exchange> : std::integral_constant<std::size_t, 2> {};
template <std::size_t I>
struct std::tuple_element<I, sonde::exchange> {
    using type = sonde::packet const;
};
/// @endcond

/// @namespace fmt
/// {fmt}, whose formatters print the types of sonde.

/// `{}`: "IP / ICMP … ==> IP / ICMP …", or ==> its outcome when nothing came; of a `srloop` round "RECV 1: …"
/// or "fail 1: …". `{:show}`, `{:hex}` and `{:command}`: both packets, the answer below what was sent.
template <>
struct SONDE_API fmt::formatter<sonde::exchange> {
    /// As of a packet.
    constexpr auto parse(format_parse_context& context) {
        is_summary_ = context.begin() == context.end() || *context.begin() == '}';
        return packet_.parse(context);
    }
    /// As text; see above. Throws as packets do.
    auto format(sonde::exchange const& value, format_context& context) const -> format_context::iterator;

private:
    formatter<sonde::packet> packet_;
    bool is_summary_ = true;
};

/// `{}`: `summary`.
template <>
struct fmt::formatter<sonde::exchange_list> : formatter<std::string_view> {
    /// Fill, alignment and width as with strings.
    template <class Context>
    auto format(sonde::exchange_list const& list, Context& context) const {
        return formatter<std::string_view>::format(list.summary(), context);
    }
};
/// `{}`: `summary`.
template <>
struct fmt::formatter<sonde::packet_list> : formatter<std::string_view> {
    /// Fill, alignment and width as with strings.
    template <class Context>
    auto format(sonde::packet_list const& list, Context& context) const {
        return formatter<std::string_view>::format(list.summary(), context);
    }
};

/// `{}`: "answered", "ICMP error 3/1 from 198.18.0.254", "timed out", "could not leave: " and why,
/// "cancelled".
template <>
struct SONDE_API fmt::formatter<sonde::probe_outcome> {
    /// There are no format options.
    constexpr auto parse(format_parse_context& context) { return context.begin(); }
    /// As text; see `probe_outcome`.
    auto format(sonde::probe_outcome const& value, format_context& context) const -> format_context::iterator;
};

/// `{}`: "Sent 4 packets."
template <>
struct SONDE_API fmt::formatter<sonde::send_report> {
    /// There are no format options.
    constexpr auto parse(format_parse_context& context) { return context.begin(); }
    /// As text; see above.
    auto format(sonde::send_report const& value, format_context& context) const -> format_context::iterator;
};
