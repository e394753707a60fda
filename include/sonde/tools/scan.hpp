#pragma once

#include <sonde/net/network.hpp>
#include <sonde/tools/scan_plan.hpp>
#include <sonde/tools/targets.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

SONDE_NAMESPACE_BEGIN
namespace tools {

/// How `scan` probes; as in sr_options.
struct scan_options {
    timeout_option timeout = std::chrono::seconds(1);  ///< of each attempt
    int retry = 2;                                     ///< attempts after the first
    rate_option rate = 0;                              ///< packets per second, at most; 0: no limit
    double bit_rate = 0;                               ///< bits per second, at most; 0: no limit
    if_name iface{};                                   ///< empty: by the route
    std::uint32_t window = 16384;                      ///< probes in flight at most
    /// What the targets were named by, if that matters. Borrowed until the end.
    target_list const* named_by = nullptr;
};

/// What a port, or in a sweep an address, turned out to be; in words of nmap.
enum class scan_state : std::uint8_t {
    open,           ///< TCP: SYN/ACK; UDP: an answer
    closed,         ///< TCP: any other answer; UDP: the target's own port unreachable
    filtered,       ///< nothing came, or an ICMP error
    open_filtered,  ///< UDP: nothing came; open services may be silent
    up,             ///< in a sweep: an echo reply
    down,           ///< in a sweep: nothing came, or an ICMP error
    failed,         ///< could not be asked
};
/// As nmap prints it: "open", "open|filtered" …
std::string_view name_of(scan_state state) noexcept;

/// What one probe of a scan came to.
struct scan_result {
    std::uint64_t position = 0;                     ///< in the plan
    ip_address target{};                            ///< where the probe went
    probe_protocol protocol = probe_protocol::tcp;  ///< icmp in a sweep
    std::uint16_t port = 0;                         ///< 0 in a sweep
    scan_state state = scan_state::filtered;        ///< what it turned out to be
    std::string reason;                             ///< "syn-ack", "reset", "port-unreach", "no-response" …
    ip_address from{};                              ///< who answered; unspecified when nobody did
    std::uint8_t ttl = 0;                           ///< of the answer
    std::uint16_t attempt = 0;                      ///< which was answered, or how many there were
    std::chrono::nanoseconds rtt{};                 ///< zero when nothing came
    timestamp received{};                           ///< the answer's stamp
};

/// Runs a plan: every probe of it comes to exactly one result.
///
/// Lifetimes: the network must outlive it. Threads: the network's executor only. Cost: as `sr`, and a packet
/// made for each probe.
class scan {
public:
    /// Leaves out what is `done`. Sends nothing before the first `next`.
    scan(network& net, scan_plan plan, scan_options options = {}, positions done = {});

    /// The next result.
    /// Completes when: there is one; nothing at the end. Result and errors: throws what ended it as a whole
    /// (permission, no_such_interface …). Cancellation: use `stop`. Lifetimes: this must outlive it. Threads:
    /// see above.
    boost::asio::awaitable<std::optional<scan_result>> next();
    /// One that is there already.
    std::optional<scan_result> try_next();

    /// Sends nothing more; what is on the way has no result.
    void stop() { probes_.stop(); }

    /// What it runs.
    scan_plan const& plan() const noexcept { return job_->plan; }
    /// What has come to a result, this time and before.
    positions const& done() const noexcept { return done_; }
    /// Packets so far, of this run; as of `sr`.
    sonde::report report() const { return probes_.report(); }

private:
    struct job {
        job(scan_plan p, positions const& done);
        std::uint64_t position(std::uint64_t index) const;

        scan_plan plan;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;
        std::vector<std::uint64_t> ends;  // of the gaps, in probes
    };
    std::optional<scan_result> take(exchange const& x);

    std::shared_ptr<job const> job_;
    positions done_;
    exchange_stream probes_;
};

}  // namespace tools
SONDE_NAMESPACE_END
