#pragma once

#include "engine.hpp"
#include "unfolding.hpp"

#include <sonde/probe/pacer.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace sonde::inline v0::detail {

/// Carries out `send` and `sendp`.
class sender final : public operation, public frame_owner, public cancellable {
public:
    sender(std::shared_ptr<engine> e, packet_source source, send_options how, bool layer2);

    void start(waiting_ptr<send_report> op);
    void cancel() noexcept override;
    void turn(steady_time now) override;
    void shut_down() noexcept override { cancel(); }
    bool is_listening() const override { return false; }
    void broken(error_code ec) override { finish(ec); }

    bool wants_to_send() const noexcept override { return !done_; }
    void frame_left(std::uint64_t tag, steady_time now, timestamp sent) override;
    void frame_failed(std::uint64_t tag, error_code ec) override;

private:
    std::shared_ptr<sender> self() { return std::static_pointer_cast<sender>(shared_from_this()); }
    void take();
    bool make_next();
    bool next_pass();
    void pull();
    bool has_next() const { return made_ || next_ || raw_; }
    steady_time due(steady_time now);
    bool awaits_others();
    std::uint64_t bits_of_next() const;
    void launch_next();
    void launch(packet p);
    template <class Part>
    void attempt(Part part);
    void go(outgoing& o, int interface);
    void proceed(steady_time now);
    void ask_neighbour(outgoing o, way_out const& way);
    void wait_for_turn(outgoing o, int interface, way_out const& way);
    void take_turn();
    void leave(outgoing& o, way_out const& way, mac const& next_hop);
    void failed(error_code ec);
    void refused(error_code ec);
    void source_failed(error_code ec);
    void finish(error_code ec);

    std::shared_ptr<engine> engine_;
    packet_source source_;
    send_options how_;
    bool layer2_;
    int interface_ = 0;
    pacer pacer_;
    random_source random_;
    host_names names_;

    std::optional<packet_template> template_;  // of its packets, where they are alike
    outgoing making_;                          // keeps its memory
    bool made_ = false;                        // it is the next, its time has not come
    std::optional<packet> next_;               // or this is, taken from the source
    unfolding element_;                        // or it is one of these
    bool whole_frames_ = false;                // the source has them
    frame const* raw_ = nullptr;               // or this, which leaves as it is
    std::optional<std::uint64_t> size_;
    std::uint64_t index_ = 0, pass_ = 0, open_ = 0;
    std::optional<timestamp> first_time_;  // of a replay: what its gaps are measured from
    bool first_leaves_ = false;            // the first packet of this pass is on its way out
    steady_time pass_began_ = never, began_ = never, last_ = never;
    waiting_ptr<send_report> waiting_;
    send_report report_;
    error_code source_error_;  // told when all that came before it has left
    bool exhausted_ = false, pulling_ = false, done_ = false;
    bool held_back_ = false;  // by the network's limits: goes on when its frame has left
    bool turning_ = false;    // to another interface: goes on when all frames have left
    int latest_interface_ = 0;
    std::vector<std::pair<outgoing, int>> late_;  // found their neighbour's queue full
    bool awaits_turn_ = false;                    // and the neighbours will say when to try again
};

}  // namespace sonde::inline v0::detail
