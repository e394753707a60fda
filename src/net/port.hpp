#pragma once

#include "echo.hpp"
#include "platform.hpp"

#include <boost/circular_buffer.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sonde::inline v0::detail {

/// Somebody whose frames a port sends: is told what became of each.
class frame_owner {
public:
    virtual ~frame_owner() = default;
    /// False once its frames are not to leave any more.
    virtual bool wants_to_send() const noexcept = 0;
    /// The kernel took the frame, at `sent`. `tag` is what came with it.
    virtual void frame_left(std::uint64_t tag, steady_time now, timestamp sent) = 0;
    virtual void frame_failed(std::uint64_t tag, error_code ec) = 0;
    /// The kernel has no room for its next frame; it leaves later.
    virtual void frame_delayed() noexcept {}

    /// Its frames that wait for a limit of the network, and of these those that all wait for.
    std::size_t held = 0, held_by_all = 0;
};

/// An interface has one device, as a rule. The loopback interface may have a second one, whose packets take
/// the kernel's own way; and where no device could be opened there may be some for echo requests, of one ICMP
/// id each.
enum class port_kind { framed, routed, echo4, echo6 };

struct port_key {
    int interface;
    port_kind kind;
    std::uint16_t echo_id = 0;  ///< of a device for echo requests, where the user chose it
    friend auto operator<=>(port_key const&, port_key const&) = default;
};

/// What an interface's frames go through, both ways: one device, a queue of frames that leave in batches.
class port : public std::enable_shared_from_this<port> {
public:
    using sink = std::function<void(received_frame const&)>;

    /// `receive` gets every frame that comes in, `received` is told when some have; `failed`, when the device
    /// ends for good.
    port(platform& system, std::unique_ptr<link_device> device, sink receive, std::function<void()> received,
         std::function<void(error_code)> failed);

    /// The interface; known when it has gone, too.
    link_info const& info() const { return info_; }
    bool is_open() const { return device_ != nullptr; }
    /// What ended it.
    error_code const& end() const { return end_; }
    link_counters counters() { return device_->counters(); }
    /// What the device may leave out from now on; only while it is open.
    void set_filter(capture_filter const& keeps, error_code& ec) { device_->set_filter(keeps, ec); }

    /// Reads while somebody waits for answers.
    void read(bool on);
    /// Takes what has arrived, at most `limit` frames.
    void drain(std::size_t limit);

    /// Room for a frame: that of one that has left, if there is any, with what was in it.
    std::vector<std::byte> buffer() {
        if (spare_.empty()) return {};
        auto room = std::move(spare_.back());
        spare_.pop_back();
        return room;
    }
    /// Frames leave at the next flush, in this order. `tag` goes back to the owner with the outcome.
    void queue(std::vector<std::byte>&& bytes, std::shared_ptr<frame_owner>&& owner, std::uint64_t tag) {
        if (queue_.full()) make_room();
        queue_.push_back({std::move(bytes), std::move(owner), tag});
    }
    std::size_t backlog() const { return queue_.size(); }
    /// Sends what is queued, as far as the kernel takes it; the rest goes by itself. Owners are told.
    void flush();
    /// Of a device for echo requests: what identities may leave through it.
    std::optional<echo_draws> echo;
    /// Called after each batch of frames that came in, and after frames that had to wait have left: their
    /// deadlines begin.
    std::function<void()> after_batch;

    void close();
    /// The same when the device has failed: the owners of what is still queued are told.
    void fail(error_code ec);

private:
    struct entry {
        std::vector<std::byte> bytes;
        std::shared_ptr<frame_owner> owner;
        std::uint64_t tag;
    };

    void make_room();
    entry take_first();
    void keep(std::vector<std::byte>&& room);
    void wait_readable();
    void back_off(error_code ec);
    std::size_t transmit(std::span<std::span<std::byte const> const> frames, error_code& ec);

    platform& system_;  // outlives it
    std::unique_ptr<link_device> device_;
    link_info info_;
    error_code end_;
    sink receive_;
    std::function<void()> received_;
    std::function<void(error_code)> failed_;
    std::unique_ptr<timer> retry_;
    boost::circular_buffer<entry> queue_;  // grows as it has to, and keeps its memory
    std::vector<std::vector<std::byte>> spare_;
    unsigned refusals_ = 0;  // of the frame at the front, in a row
    bool reading_ = false, waiting_ = false, blocked_ = false;
};

}  // namespace sonde::inline v0::detail
