#pragma once

#include "engine.hpp"
#include "sent_frames.hpp"
#include "unfolding.hpp"

#include "packet/spares.hpp"

#include <sonde/link/filter.hpp>
#include <sonde/net/stream.hpp>
#include <sonde/probe/probe_run.hpp>

#include <boost/circular_buffer.hpp>
#include <boost/container/small_vector.hpp>

#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace sonde::inline v0::detail {

/// What a prober is to do. `rounds` 0: one run, whose answers are yielded; else srloop.
struct probing {
    run_options run;
    bool layer2 = false;
    int interface = 0;
    std::string filter{};
    std::uint64_t rounds = 0;
    steady_duration inter{};  ///< between rounds
    bool relaxed = false;     ///< as in sr_options
    bool reassemble = false;
    bool unanswered = false;
    bool own_question = false;  ///< the engine's: for a neighbour, wherever that is
};

/// Carries out `sr`, `sr1` and `srloop`: makes the packets that a probe_run says may leave, hands them to the
/// engine, and turns answers into exchanges for whoever waits. Keeps no packet that it can make again from
/// its number.
class prober final : public operation,
                     public answer_judge,
                     public frame_owner,
                     public cancellable,
                     public exchange_state {
public:
    prober(std::shared_ptr<engine> e, packet_source source, probing what);
    ~prober() override;

    // stream_state
    asio::any_io_executor executor() const override { return engine_->executor(); }
    void start_next(waiting_ptr<std::optional<exchange>> op) override;
    void cancel_next(void const* signal) override;
    std::optional<exchange> try_next() override;
    void abandon() noexcept override { cancel(); }
    loop_report report() const override;
    packet_list unanswered() const override;
    void set_rate(rate_option rate) override;
    void set_bit_rate(double bit_rate) override;
    void pause() override;
    void resume() override;
    void stop() override;
    std::uint64_t cursor() const override;
    std::span<probe_statistics const> statistics() const override {
        return tally_ ? std::span<probe_statistics const>(tally_->statistics)
                      : std::span<probe_statistics const>();
    }
    void start_collect(waiting_ptr<collected> op) override;
    void cancel_collect(void const* signal) override;

    // cancellable
    void cancel() noexcept override;
    /// What went wrong before there was anything to start.
    void fail(error_code ec);

    // operation
    void turn(steady_time now) override;
    void shut_down() noexcept override;
    bool is_wanted() const override { return !what_.own_question; }
    void broken(error_code ec) override;
    void interface_gone(int interface, error_code ec) override;

    // answer_judge
    bool accepts(attempt_info const& attempt, packet const& received, bool to_many) override;
    verdict replied(attempt_info const& attempt, packet&& received, steady_time now) override;
    void expired(attempt_info const& attempt, steady_time now) override;

    // frame_owner
    bool wants_to_send() const noexcept override { return !closed_; }
    void frame_left(std::uint64_t tag, steady_time now, timestamp sent) override;
    void frame_failed(std::uint64_t tag, error_code ec) override;
    void frame_delayed() noexcept override;

private:
    struct leaving {
        departure probe;
        match_key key;
        std::uint32_t draw = 0;
        std::optional<ip_address> destination{};
    };

    /// What waits for the consumer: an answer, or a probe that ended without one, whose packet is made when
    /// it is asked for.
    struct item {
        std::uint64_t index;
        std::variant<exchange, probe_end> what;
    };

    /// A set whose packets are alike, and what of them left lately.
    struct compiled_set {
        packet_template packets;
        std::vector<outgoing::identity_slot> identities = outgoing::identities_of(packets);
        outgoing making{};  // what is leaving, before it is finished; keeps its memory
        sent_frames sent{};
    };

    /// A filter that one of the two does not understand is fine on the other.
    struct filters {
        std::optional<capture_filter> ethernet{}, ip{};
    };

    /// What is told of a stream; the first answer alone has no report.
    struct tally {
        loop_report totals{};
        std::vector<probe_statistics> statistics{};  // of srloop
        engine::strays strays_before{};
        std::uint64_t drops_before = 0, drops_seen = 0;
        steady_time began = never, round_began = never;
    };

    std::shared_ptr<prober> self() { return std::static_pointer_cast<prober>(shared_from_this()); }
    void start();
    void proceed(steady_time now);
    void begin_round(steady_time now);
    void end_round(steady_time now);
    void pump(steady_time now);
    bool is_held() const;
    bool has_place() const;
    void watch_drops();
    template <class Part>
    void attempt(departure const& d, Part part);
    bool depart(departure const& d);
    bool set_out(departure const& d);
    void pull(departure const& d);
    void pulled(departure const& d, error_code ec, std::optional<packet> p);
    std::optional<packet> take();
    std::optional<packet> next_of_element(departure const& d);
    void source_failed(error_code ec);
    error_code only_failure() const;
    void begin(departure const& d, packet p);
    void launch(departure const& d, packet p);
    bool resolve_names(departure const& d, packet const& p);
    void prepare(departure const& d, outgoing& o);
    void wait_for_turn(way_out const& way, departure const& d);
    void leave(departure const& d, outgoing&& o, way_out const& way, mac const& next_hop);
    std::uint32_t draw_for(way_out const& way);
    match_key key_of(outgoing const& probe, way_out const& way, key_reach reach = key_reach::ports);
    bool find_free_key(leaving& l, bool own_identity, outgoing& probe, way_out const& way);
    void failed(departure const& d, error_code ec);
    verdict take(attempt_info const& attempt, packet&& received, steady_time now);
    void push(item&& next);
    void take_ends();
    exchange silent(probe_end const& end) const;
    packet as_it_left(probe_end const& end) const;
    probe_statistics* statistics_of(std::uint64_t index);
    void deliver();
    void deliver_next();
    void deliver_all();
    void abort_next();
    void abort_collect();
    void go_on();
    bool is_queue_full() const;
    void give_up() noexcept;
    void close(error_code ec);
    void remember_source(outgoing const& o);

    random_source random_of(std::uint64_t index, std::uint16_t attempt) const;
    packet make(std::uint64_t index, std::uint16_t attempt) const;
    void write(std::uint64_t index, std::uint16_t attempt, outgoing& o) const;
    /// The packet of an attempt as it left. `own`: the source address that it had, if that was automatic.
    mac link_destination(outgoing& o) const;
    outgoing rebuild(attempt_info const& attempt, std::optional<ip_address> const& own) const;
    bool passes_filter(packet const& received) const;
    void keep_totals();
    sonde::report current() const;

    std::shared_ptr<engine> engine_;
    packet_source source_;
    std::unique_ptr<compiled_set> compiled_;
    probing what_;
    std::unique_ptr<filters> filters_;
    std::unique_ptr<tally> tally_;
    std::optional<probe_run> run_;
    std::uint64_t seed_;

    boost::container::small_vector<leaving, 1> leaving_;
    boost::container::small_vector<std::uint32_t, 1> free_;
    std::map<std::uint64_t, packet> kept_;  // packets of a source that cannot make them again
    unfolding element_;                     // the one of them that is a set
    host_names names_;
    boost::container::small_vector<ip_address, 1> sources_;  // automatic source addresses in use, few
    bool sources_overflown_ = false;
    mac link_source_, next_hop_;
    bool over_several_next_hops_ = false;
    std::optional<int> over_;  // the interface that it sends over
    bool over_several_ = false;
    bool pulling_ = false;
    std::vector<std::pair<departure, packet>> late_;  // found their neighbour's queue full
    bool awaits_turn_ = false;                        // and the neighbours will say when to try again
    std::optional<std::uint64_t> source_size_;

    // Grows as it has to: most probers have one answer.
    boost::circular_buffer<item, recycling_allocator<item>> queue_;
    waiting_ptr<std::optional<exchange>> waiting_;
    waiting_ptr<collected> collecting_;
    std::optional<std::uint64_t> last_cursor_;  // of a stream whose queue was given up

    std::uint64_t round_ = 0;
    steady_time next_round_ = never;
    std::shared_ptr<reassembler> reassembly_;  // held while it is needed

    outgoing scratch_;                     // what left last
    std::optional<attempt_id> left_last_;  // whose packet is in scratch_
    struct accepted {
        std::uint64_t index;
        std::uint16_t attempt;
        bool made_again;  // it is the engine's `rebuilt`, else the one in scratch_
    };
    std::optional<accepted> last_;  // accepts() makes it, replied() takes it over

    error_code end_, source_error_, broken_;
    bool started_ = false, engaged_ = false, closed_ = false, end_told_ = false;
    bool paused_ = false, stopping_ = false;  // by the consumer's wish
};

/// The engine's own question: the first answer goes to `done`.
void ask(std::shared_ptr<engine> const& e, packet_source what, int interface, run_options const& how,
         std::function<void(error_code, std::optional<exchange>)> done);

}  // namespace sonde::inline v0::detail
