#pragma once

#include "interest.hpp"
#include "neighbours.hpp"
#include "outgoing.hpp"
#include "platform.hpp"
#include "port.hpp"

#include "packet/answer_key.hpp"

#include <sonde/layers/reassembly.hpp>
#include <sonde/net/explanation.hpp>
#include <sonde/net/network.hpp>
#include <sonde/packet/match.hpp>
#include <sonde/probe/identity.hpp>
#include <sonde/probe/probe_run.hpp>
#include <sonde/probe/probe_table.hpp>
#include <sonde/probe/rate_limiter.hpp>
#include <sonde/probe/rtt.hpp>
#include <sonde/probe/target_policy.hpp>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sonde::inline v0::detail {

/// Something that the engine gives turns to: a running operation.
class operation : public std::enable_shared_from_this<operation> {
public:
    virtual ~operation() = default;
    /// Send what may leave, hand over what has come. User code runs only from here.
    virtual void turn(steady_time now) = 0;
    /// The network ends.
    virtual void shut_down() noexcept = 0;
    /// A part of it threw: it ends with this error, now or in its next turn.
    virtual void broken(error_code ec) = 0;

    /// An interface is no more: what was sent over it has no answer. `ec`: no_such_interface.
    virtual void interface_gone(int, error_code) {}

    /// Whether frames that come in may mean something to it.
    virtual bool is_listening() const { return true; }
    /// Whether somebody waits for it: the engine's own questions rest while there is nobody.
    virtual bool is_wanted() const { return true; }

    bool queued_for_turn = false;
    steady_time wake = never;
    std::uint64_t serial = 0;  ///< in the order of `begin`
};

class explainer;

/// Who sends probes: is asked about answers.
class answer_judge {
public:
    virtual ~answer_judge() = default;
    /// Whether `received` answers this attempt, compared field by field. `to_many`: the attempt went to a
    /// group.
    virtual bool accepts(attempt_info const& attempt, packet const& received, bool to_many) = 0;
    /// It does. Returns what that means.
    virtual verdict replied(attempt_info const& attempt, packet&& received, steady_time now) = 0;
    virtual void expired(attempt_info const& attempt, steady_time now) = 0;
};

/// How a packet leaves: prepared, but for a neighbour's address that may still be missing.
struct way_out {
    std::shared_ptr<port> out;
    bool add_ethernet = false;          ///< layer 3 over Ethernet: a header goes before the packet
    bool to_many = false;               ///< answers come from addresses that it does not name
    std::optional<mac> next_hop_mac{};  ///< known already (group, broadcast, given)
    ip_address next_hop{};              ///< else this neighbour's address is needed
};

/// One network's machinery: what its operations share. Everything runs on one executor; see
/// docs/design/engine.md.
class engine : public std::enable_shared_from_this<engine>, public context_user {
public:
    engine(asio::any_io_executor executor, network_options options);

    asio::any_io_executor const& executor() const { return executor_; }
    /// Clock, routes, interfaces, devices.
    platform& system() { return *system_; }
    steady_time now() const { return system_->now(); }
    /// The same, as of the begin of this turn.
    steady_time recent() const { return in_turn_ ? turn_began_ : now(); }
    probe_table& table() { return table_; }
    rtt_table& rtts() { return rtts_; }
    rate_limiter const& limits() const { return limiter_; }
    /// Calls change(rate_limiter&), and lets go what it then lets go.
    template <class Change>
    void change_limits(Change change) {
        change(limiter_);
        schedule_turn();
    }
    identity_source& identities() { return identities_; }
    /// How packets like those that left lately are finished.
    finisher& shapes() { return shapes_; }
    /// Those that the identities take.
    port_range const& ports() const { return free_ports_; }
    neighbours& neighbour_cache() { return neighbours_; }
    secret_key const& secret() const { return secret_; }
    /// What an operation's random fields come from: unlike any other's, not to be guessed, and no system
    /// call.
    std::uint64_t next_seed() noexcept { return siphash_word(seeds_, ++last_seed_); }
    network_options const& options() const { return options_; }
    bool shares_interfaces() const { return options_.share.parts > 1; }

    /// The engine owns an operation from `begin` to `end`; while one listens, ports are read.
    void begin(std::shared_ptr<operation> op);
    void end(operation& op) noexcept;
    /// While there are runs with relaxed matching, each frame is looked up as their answer too.
    void count_relaxed(int by) {
        relaxed_runs_ += by;
        if (sheds_) shed();
    }
    /// What a judge compares the frame with that it is asked about; until it, or another, is asked again.
    outgoing& rebuilt() { return rebuilt_; }
    /// Told of each probe before it leaves: where its answers come to.
    void expect_answers(packet_view const& probe) {
        if (interest_.add(probe) && sheds_) shed();
    }
    /// From now on answers are looked up as those of probes to groups, too.
    void expect_groups() { asks_groups_ = true; }
    /// One that reads by itself: it ends with the network, if it is still there.
    void listen(std::weak_ptr<operation> op);
    /// Gives a turn to an operation that reads by itself.
    void watch(operation& op) { ready(op); }
    /// Gives the operation a turn, in this turn of the loop or the next.
    void ready(operation& op);
    /// Gives it a turn at that time; one time for each operation, `never` for none.
    void wake_at(operation& op, steady_time when);
    /// Gives it a turn when probes or frames have left.
    void starve(std::shared_ptr<operation> op) {
        (op->is_wanted() ? starving_ : starving_questions_).push_back(std::move(op));
    }
    /// Probes of operations; of questions that rest nothing is on its way any more.
    std::size_t in_flight() const { return wanted_ > 0 ? table_.in_flight() : 0; }
    /// Whether one probe more may be in flight. The engine's own questions always may: probes that have their
    /// place already wait for them.
    bool has_room() const {
        return table_.has_room() && table_.in_flight() + table_.admitted() < options_.probes;
    }
    bool is_backlogged() const { return backlog_ >= max_backlog; }

    /// Opens what probes over this interface go through, ahead of them.
    void open(if_name const& name, error_code& ec);
    /// The same, on a socket that was opened elsewhere.
    void adopt(int descriptor, if_name const& name, error_code& ec);

    /// The index of an interface; 0 for an empty name. Errors: no_such_interface.
    int interface_index(if_name const& name, error_code& ec);
    /// The interface that layer 2 verbs use when none is named.
    int default_interface(error_code& ec);
    /// Finds the way of a packet, or of a frame at layer 2, fills in its source, and asks whether it may go
    /// there. Good until the next call. Errors: no_route, interface_down, permission, target_refused,
    /// target_blocked ….
    way_out const& way_of(outgoing& packet, int interface, bool layer2, error_code& ec);
    /// The same for the engine's own frames, which may go to any neighbour.
    way_out link(outgoing& frame, int interface, error_code& ec);
    /// Where a packet of that way goes next, if its address is known already. Errors: no_neighbour, when it
    /// has been silent.
    std::optional<mac> next_hop_of(way_out const& way, error_code& ec) {
        if (way.next_hop_mac) return way.next_hop_mac;
        return neighbours_.find(way.out->info().index, way.next_hop, recent(), ec);
    }
    target_policy& targets() { return targets_; }
    /// The bits of the frame in which a packet leaves, before its way is known: Ethernet's, for layer 3
    /// verbs.
    static std::uint64_t bits_of(packet_view const& p, bool layer2) {
        return (p.bytes.size() + (layer2 ? 0 : 14)) * 8;
    }
    /// Puts a finished packet into its port's queue, as soon as the network's limits let it; see
    /// frame_owner::held. Names of neighbours are known by now.
    void transmit(way_out const& way, outgoing const& packet, mac const& next_hop,
                  std::shared_ptr<frame_owner> owner, std::uint64_t tag);

    /// The same for a frame as it is: no limit and no list of targets asks what is in it. An error where
    /// there is nothing to put it into; then the owner does not hear of it.
    error_code transmit(int interface, std::span<std::byte const> frame, std::shared_ptr<frame_owner> owner,
                        std::uint64_t tag);
    /// Whether one does.
    bool looks_into_frames() const { return targets_.has_lists() || limiter_.active(); }

    /// Frames that wait for a limit, and whose owners do not want to send them any more, never leave.
    void drop_held() noexcept;

    /// Looks a host name up, once for all who ask. The handler is called later.
    void resolve_name(std::string const& name, bool v6, std::function<void(error_code, ip_address)> handler);

    /// While somebody wants to know why, each packet that comes in is explained.
    void explain_to(std::weak_ptr<explainer> tap);
    bool explains() const { return !taps_.empty(); }
    /// Why an attempt refused the packet that it was asked about.
    void note_refusal(std::string why) { refusal_ = std::move(why); }
    /// Does a part of an operation. What memory is lacking for, or what a user's own code throws, ends this
    /// operation; the network and the others go on.
    template <class Part>
    void contain(operation& op, Part part) {
        try {
            part();
        } catch (...) {
            op.broken(reason_of_exception());
        }
    }
    /// The error that the exception being handled stands for.
    error_code reason_of_exception() noexcept;
    bool is_shut_down() const { return closed_; }

    /// Remembers what the latest error was about.
    [[nodiscard]] error_code fail(error_code ec, std::string about) {
        why_ = std::move(about), why_of_ = ec;
        return ec;
    }
    /// An operation has come to this error, of which there may be no more to say.
    void told(error_code ec) noexcept {
        if (ec != why_of_) why_.clear();
    }
    std::string const& why() const { return why_; }

    /// Frames that no run counts as its own.
    struct strays {
        std::uint64_t unrelated = 0, malformed = 0, late = 0, duplicates = 0;
    };
    strays const& stray_frames() const { return strays_; }
    std::uint64_t kernel_drops();

    /// Makes fragments whole that come in, as long as somebody holds this.
    std::shared_ptr<reassembler> reassembly();

    void shut_down() noexcept override;

private:
    static constexpr std::size_t max_backlog = 1024;

    struct held_frame {
        std::shared_ptr<port> out;
        std::vector<std::byte> bytes;
        std::shared_ptr<frame_owner> owner;
        std::uint64_t tag;
        bool by_all;  // waits for the network's limit, not its prefix's
    };

    struct judgement {
        explanation::kind what;
        std::string_view reason;
        std::optional<attempt_info> probe{};
    };

    /// A packet that came in and waits to be looked up: a few are, so that the table's memory is loaded
    /// while the next ones are read.
    struct incoming {
        incoming(packet&& p, bool with_checksums) : received(std::move(p)), has_checksums(with_checksums) {}

        packet received;
        open_keys keys{};
        match_key innermost{};  // of `keys`
        bool has_checksums;
    };

    using any_route = std::optional<boost::system::result<sonde::route>>;  // by any interface, if asked for
    way_out route(outgoing& packet, int interface, any_route& asked, error_code& ec);
    bool goes_latest_way(outgoing const& packet, int interface);
    error_code refusal(outgoing const& packet, any_route& found);
    target_kind kind_of_target(ip_address const& to, any_route& found);
    void release_held(steady_time now);
    std::shared_ptr<port> find_port(port_key id) const;
    std::shared_ptr<port> open_port(int interface, bool routed, error_code& ec);
    std::shared_ptr<port> open_echo(port_key id, error_code& ec);
    std::shared_ptr<port> port_on(outgoing const& packet, bool chose_source, int interface, error_code& ec);
    std::shared_ptr<port> port_for(outgoing const& packet, bool chose_source, int interface, bool loopback,
                                   error_code& ec);
    std::shared_ptr<port> add_port(port_key id, std::unique_ptr<link_device> device);
    void port_failed(port_key id, error_code ec);
    void on_frame(received_frame const& f);
    void count_strangers();
    void shed();
    void shed(port& p, std::optional<std::string> const& filter);
    void await_judgement(packet&& received, bool has_checksums);
    void judge_incoming();
    std::optional<attempt_info> find(match_key const& key, packet const& received, bool to_many);
    void on_packet(incoming& a);
    std::optional<attempt_info> find_probe(incoming const& a);
    judgement judge(incoming& a);
    void explain(packet&& received, judgement const& what);
    void run_turn();
    void take_turn(steady_time now);
    void take_last_turn(std::shared_ptr<operation> op);
    void schedule_turn();
    void start_listening();
    void wake_questions();
    void on_timer();
    void arm_timer();
    void read_ports(bool on);

    asio::any_io_executor executor_;
    network_options options_;
    std::unique_ptr<platform> system_;
    probe_table table_;
    rtt_table rtts_;
    rate_limiter limiter_;
    target_policy targets_;
    boost::unordered_flat_map<rate_limiter::ticket, held_frame> held_;
    rate_limiter::ticket last_ticket_ = 0;
    secret_key secret_, seeds_;
    std::uint64_t last_seed_ = 0;
    std::size_t listening_ = 0, wanted_ = 0;  // operations that are
    steady_time turn_began_ = never;
    steady_time deaf_since_{};  // when the last that listened ended
    port_range free_ports_;
    identity_source identities_;
    interest interest_;
    bool sheds_ = false;             // the kernel leaves out what answers no probe of ours
    unsigned frames_looked_at_ = 0;  // of those among which strangers are counted
    std::uint64_t strangers_before_ = 0;
    steady_time looking_since_{};
    finisher shapes_;
    outgoing rebuilt_;
    neighbours neighbours_;
    std::unique_ptr<timer> timer_;
    steady_time armed_ = never;
    boost::unordered_flat_map<std::string, std::vector<std::function<void(error_code, ip_address)>>>
        asked_names_;

    std::map<port_key, std::shared_ptr<port>> ports_;
    std::shared_ptr<port>
        latest_;  // that a layer 3 verb's packet left through: most often the next one's, too
    struct {
        way_out way;
        // Of a unicast route: the addresses that have it, too.
        ipv4 first{1}, last{};
        std::uint64_t generation = 0;  // as long as it is this
        int interface = 0;             // over which it was asked for
        ip_address source{};
        bool has_gateway = false;
    } latest_way_;
    std::uint64_t drops_of_closed_ = 0;  // by the kernel, on ports that are no longer there
    boost::unordered_flat_set<std::shared_ptr<operation>> operations_;
    std::vector<std::weak_ptr<operation>> listeners_;
    std::deque<std::shared_ptr<operation>> ready_;
    std::vector<std::shared_ptr<operation>> starving_, starving_questions_;
    std::weak_ptr<reassembler> reassembly_;
    std::vector<incoming> incoming_;
    steady_time judged_at_ = never;  // when the latest were judged
    std::vector<std::weak_ptr<explainer>> taps_;
    std::string refusal_;
    struct sleeper {
        steady_time wake;
        std::uint64_t serial;  // those of one time in the order in which they began, not by their address
        operation* op;
        friend auto operator<=>(sleeper const&, sleeper const&) = default;
    };
    std::set<sleeper> sleepers_;
    std::uint64_t begun_ = 0;
    strays strays_;
    int relaxed_runs_ = 0;
    bool asks_groups_ = false;  // has sent a probe to a group
    std::string why_;
    error_code why_of_;
    std::uint64_t frames_lost_ = 0;  // for want of memory
    std::size_t backlog_ = 0;
    bool turn_scheduled_ = false, in_turn_ = false, closed_ = false, reading_ = false;
};

}  // namespace sonde::inline v0::detail
