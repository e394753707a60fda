#include <sonde/link/packet_socket.hpp>
#include <sonde/link/xdp_socket.hpp>

#include "link/readiness.hpp"
#include "link/xdp/headers.hpp"
#include "link/xdp/joint_wait.hpp"
#include "link/xdp/program.hpp"
#include "link/xdp/queue.hpp"
#include "link/xdp/sender.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <vector>

namespace sonde::inline v0 {

using detail::failure;
using detail::readiness;

namespace {

constexpr unsigned usual_chunk = 2048, largest_chunk = 4096;
constexpr unsigned headroom = 256;       // that the kernel keeps before each frame (XDP_PACKET_HEADROOM)
constexpr unsigned link_headers = 22;    // Ethernet's, with two VLAN tags
constexpr std::uint32_t to_send = 2048;  // chunks
constexpr std::uint32_t fewest_chunks = 256, most_chunks = 32768;  // of a queue
constexpr std::size_t batch = 64;
constexpr unsigned turns = 8;  // of receiving, of which one begins with the packet socket
// For an error that receive() has yet to tell, which no event will announce.
constexpr std::chrono::milliseconds at_once{1};

/// How many receive queues an interface has; 1 where the driver does not say.
unsigned receive_queues(std::string const& name) {
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    ifreq about{};
    name.copy(about.ifr_name, sizeof about.ifr_name - 1);
    about.ifr_data = reinterpret_cast<char*>(&channels);
    detail::unique_fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd || ::ioctl(fd.get(), SIOCETHTOOL, &about) != 0) return 1;
    return std::max(channels.rx_count + channels.combined_count, 1u);
}

std::uint32_t chunks_of_each(std::size_t buffer, unsigned chunk, unsigned queues) {
    auto wanted = std::clamp<std::size_t>(buffer / chunk / queues, fewest_chunks, most_chunks);
    return std::bit_floor(static_cast<std::uint32_t>(wanted));
}

/// Frames out of a queue's ring. Their memory goes back to the kernel with this object, when all have been
/// looked at or one has thrown.
class taken_frames {
public:
    taken_frames(detail::xdp_queue& from, detail::xdp_memory const& memory, std::size_t limit)
        : from_(from), memory_(memory) {
        auto& ring = from.received();
        count_ = std::min<std::size_t>({ring.ready(), limit, batch});
        for (std::size_t i = 0; i < count_; ++i) frames_[i] = ring.take();
        if (count_ > 0) ring.release();
    }
    ~taken_frames() {
        for (auto const& d : get()) from_.recycle(memory_, d);
        if (count_ > 0) from_.refill();
    }
    taken_frames(taken_frames const&) = delete;
    taken_frames& operator=(taken_frames const&) = delete;

    std::span<xdp_desc const> get() const { return {frames_, count_}; }

private:
    detail::xdp_queue& from_;
    detail::xdp_memory const& memory_;
    std::size_t count_ = 0;
    xdp_desc frames_[batch];
};

}  // namespace

struct xdp_socket::state {
    state(asio::any_io_executor executor, link_info i)
        : readable(executor), writable(std::move(executor)), info(std::move(i)) {}
    ~state() {
        if (sender) sender->stop();
    }

    std::optional<failure> open(receive_options const& options, xdp_take take);
    std::optional<failure> open_queues(std::uint32_t each, unsigned chunk, unsigned number);
    std::optional<failure> join_queues();
    std::size_t read(std::size_t limit, frame_sink const& sink);
    std::size_t read(detail::xdp_queue& from, std::size_t limit, frame_sink const& sink);
    bool hand_over(xdp_desc const& d, timestamp now, frame_sink const& sink);
    std::string place() const { return "AF_XDP on " + (info.name.empty() ? "interface" : info.name); }

    // The memory outlives the sockets, and the program goes first.
    detail::xdp_memory memory;
    std::vector<std::unique_ptr<detail::xdp_queue>> queues;
    readiness readable, writable;  // all sockets, when there are several; the first
    std::unique_ptr<packet_socket> others;
    detail::joint_wait reading;
    detail::xdp_program program;
    std::shared_ptr<detail::xdp_sender> sender;
    link_info info;
    xdp_mode mode = xdp_mode::generic;
    unsigned snapshot = capture_filter::whole_frame;
    std::optional<capture_filter> filter;
    std::size_t next_queue = 0;  // whose turn it is
    unsigned turn = 0;
    std::uint64_t received = 0;
    error_code behind;  // what ended a receive that had handed over frames
};

std::optional<failure> xdp_socket::state::open(receive_options const& options, xdp_take take) {
    if (info.index == 0) return failure{errc::no_such_interface, "AF_XDP needs one interface"};
    if (info.type != link_type::ethernet)
        return failure{errc::unsupported_link_type, place() + ": it is no Ethernet"};
    snapshot = std::clamp(options.snapshot, 1u, capture_filter::whole_frame);
    if (options.filter && !options.filter->empty()) filter = *options.filter;
    // Before the program: what that lets pass is captured from the beginning.
    failure f;
    others = packet_socket::open(readable.get_executor(), info.index, options, f.code, &f.why);
    if (!others) return f;
    auto number = receive_queues(info.name);
    auto chunk = info.mtu + link_headers + headroom <= usual_chunk ? usual_chunk : largest_chunk;
    if (auto failed = program.load(take, info.address, chunk - headroom, number, place())) return failed;
    // It lets everything pass yet. Another program is met before anything is asked of the queues.
    if (auto failed = program.attach(info.index, place())) return failed;
    if (auto failed = open_queues(chunks_of_each(options.buffer, chunk, number), chunk, number))
        return failed;
    if (auto failed = join_queues()) return failed;
    for (unsigned q = 0; q < number; ++q)
        if (auto failed = program.serve(q, queues[q]->fd(), place())) return failed;
    if (program.is_native()) mode = queues[0]->is_zero_copy() ? xdp_mode::zero_copy : xdp_mode::native;
    sender = std::make_shared<detail::xdp_sender>(readable.get_executor(), *queues[0], memory, program,
                                                  info.mtu, queues[0]->is_zero_copy());
    sender->own(to_send);
    return {};
}

std::optional<failure> xdp_socket::state::open_queues(std::uint32_t each, unsigned chunk, unsigned number) {
    if (!memory.allocate(chunk, to_send + std::size_t(each) * number))
        return detail::system_failure(place(), "memory");
    for (unsigned q = 0; q < number; ++q) {
        detail::xdp_queue_plan plan;
        plan.interface = info.index;
        plan.queue = q;
        plan.receive_chunks = each;
        plan.first_chunk = (to_send + std::uint64_t(each) * q) * chunk;
        plan.transmit_chunks = q == 0 ? to_send : 0;
        plan.shared_with = q == 0 ? -1 : queues[0]->fd();
        queues.push_back(std::make_unique<detail::xdp_queue>());
        if (auto f = queues.back()->open(memory, plan, place())) return f;
    }
    return {};
}

/// One descriptor to wait for, whatever the number of sockets.
std::optional<failure> xdp_socket::state::join_queues() {
    detail::unique_fd all(::epoll_create1(EPOLL_CLOEXEC));
    if (!all) return detail::system_failure(place(), "epoll_create1");
    for (auto const& q : queues) {
        epoll_event wanted{};
        wanted.events = EPOLLIN;
        if (::epoll_ctl(all.get(), EPOLL_CTL_ADD, q->fd(), &wanted) != 0)
            return detail::system_failure(place(), "epoll_ctl");
    }
    if (auto ec = readable.assign(std::move(all))) return failure{ec, place() + ": event loop"};
    if (auto ec = writable.assign(queues[0]->release())) return failure{ec, place() + ": event loop"};
    return {};
}

bool xdp_socket::state::hand_over(xdp_desc const& d, timestamp now, frame_sink const& sink) {
    std::span<std::byte const> bytes(memory.at(d.addr), d.len);
    if (filter && !filter->matches(bytes, bytes.size())) return false;
    frame f{.bytes = bytes.first(std::min<std::size_t>(bytes.size(), snapshot)),
            .length = d.len,
            .time = now,
            .type = link_type::ethernet,
            .interface = info.index};
    sink(received_frame(f, detail::has_pending_checksum(bytes)));
    return true;
}

std::size_t xdp_socket::state::read(detail::xdp_queue& from, std::size_t limit, frame_sink const& sink) {
    std::size_t delivered = 0;
    while (delivered < limit) {
        taken_frames taken(from, memory, limit - delivered);
        if (taken.get().empty()) break;
        received += taken.get().size();
        auto now = std::chrono::time_point_cast<timestamp::duration>(std::chrono::system_clock::now());
        for (auto const& d : taken.get()) delivered += hand_over(d, now, sink);
    }
    return delivered;
}

std::size_t xdp_socket::state::read(std::size_t limit, frame_sink const& sink) {
    std::size_t delivered = 0;
    for (std::size_t i = 0; i < queues.size() && delivered < limit; ++i) {
        delivered += read(*queues[next_queue], limit - delivered, sink);
        if (delivered < limit) next_queue = (next_queue + 1) % queues.size();
    }
    return delivered;
}

std::unique_ptr<xdp_socket> xdp_socket::open(asio::any_io_executor executor, int interface,
                                             receive_options const& options, xdp_take take, error_code& ec,
                                             std::string* why) {
    auto info = interface_info(interface, ec);
    auto s = std::make_unique<state>(std::move(executor), std::move(info));
    auto failed = ec ? std::optional(failure{ec, s->place()}) : s->open(options, take);
    if (!failed) return std::unique_ptr<xdp_socket>(new xdp_socket(std::move(s)));
    detail::report_failure(std::move(*failed), ec, why);
    return nullptr;
}

std::unique_ptr<xdp_socket> xdp_socket::open(asio::any_io_executor executor, int interface,
                                             receive_options const& options, xdp_take take) {
    return detail::or_throw([&](error_code& ec, std::string* why) {
        return open(std::move(executor), interface, options, take, ec, why);
    });
}

xdp_socket::xdp_socket(std::unique_ptr<state> s) : state_(std::move(s)) {}
xdp_socket::~xdp_socket() = default;

xdp_mode xdp_socket::mode() const noexcept {
    return state_->mode;
}
asio::any_io_executor xdp_socket::get_executor() const {
    return state_->others->get_executor();
}
link_info const& xdp_socket::info() const noexcept {
    return state_->info;
}

// What XDP took comes first, since it is much; the packet socket begins now and then, so that a flood of the
// one does not hold back the other. Errors are told by the packet socket.
std::size_t xdp_socket::receive(std::size_t limit, frame_sink sink, error_code& ec) {
    auto& s = *state_;
    ec = {};
    std::size_t delivered = 0;
    bool others_first = ++s.turn % turns == 0;
    if (!others_first) delivered = s.read(limit, sink);
    if (delivered < limit && !s.behind) delivered += s.others->receive(limit - delivered, sink, s.behind);
    if (others_first && delivered < limit) delivered += s.read(limit - delivered, sink);
    if (delivered == 0 && limit > 0) ec = std::exchange(s.behind, error_code());
    return delivered;
}

std::size_t xdp_socket::transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) {
    return state_->sender->send(frames, ec);
}

void xdp_socket::wait_readable(wait_handler handler) {
    auto& s = *state_;
    auto at_most = s.behind ? at_once : std::chrono::milliseconds(0);
    s.reading.start(
        get_executor(), std::move(handler),
        [&](wait_handler h) { s.readable.wait(readiness::reading, std::move(h), at_most); },
        [&](wait_handler h) { s.others->wait_readable(std::move(h)); },
        [&s] {
            s.readable.cancel(readiness::reading);
            s.others->cancel_readable();
        });
}

void xdp_socket::wait_writable(wait_handler handler) {
    state_->writable.wait(readiness::writing, std::move(handler));
}
void xdp_socket::cancel_readable() {
    auto& s = *state_;
    s.readable.cancel(readiness::reading);
    s.others->cancel_readable();
    s.reading.cancelled();
}
void xdp_socket::cancel_writable() {
    state_->writable.cancel(readiness::writing);
}

link_counters xdp_socket::counters() {
    auto all = state_->others->counters();
    all.received += state_->received;
    for (auto const& q : state_->queues) {
        all.received += q->received().ready();
        all.kernel_dropped += q->dropped();
    }
    return all;
}

void xdp_socket::set_filter(capture_filter const& filter, error_code& ec, std::string* why) {
    state_->others->set_filter(filter, ec, why);
    if (ec) return;
    state_->filter.reset();
    if (!filter.empty()) state_->filter = filter;
}

}  // namespace sonde::inline v0
