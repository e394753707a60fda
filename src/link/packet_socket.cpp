#include <sonde/link/packet_socket.hpp>

#include "link/bulk_receiver.hpp"
#include "link/interface_type.hpp"
#include "link/readiness.hpp"
#include "link/receive_slots.hpp"
#include "link/system.hpp"
#include "link/transmit_batch.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <optional>

namespace sonde::inline v0 {

using detail::failure;
using detail::readiness;

namespace {

static_assert(sizeof(bpf_instruction) == sizeof(sock_filter) &&
              alignof(bpf_instruction) == alignof(sock_filter));
static_assert(offsetof(bpf_instruction, jt) == offsetof(sock_filter, jt));
static_assert(offsetof(bpf_instruction, k) == offsetof(sock_filter, k));

// How often a pending wait looks whether an interface that is down is gone: nothing tells of that.
constexpr std::chrono::milliseconds look_again{100};
// For an error that receive() has yet to tell, which no event will announce.
constexpr std::chrono::milliseconds at_once{1};
// While frames may come by two ways, of which only one is waited for.
constexpr std::chrono::milliseconds look_at_both{2};

template <class T>
bool set_option(int fd, int level, int name, T const& value) noexcept {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

sockaddr_ll address_of(int interface, int protocol) noexcept {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(static_cast<std::uint16_t>(protocol));
    address.sll_ifindex = interface;
    return address;
}

bool bind_to(int fd, int interface, int protocol) noexcept {
    auto address = address_of(interface, protocol);
    return ::bind(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
}

// Above net.core.rmem_max only the privileged may go; the others get what they may have.
void set_receive_buffer(int fd, std::size_t bytes) noexcept {
    int value = static_cast<int>(std::min<std::size_t>(bytes, INT_MAX / 2));
    if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, value)) set_option(fd, SOL_SOCKET, SO_RCVBUF, value);
}

// What of a filter the kernel runs: not one that looks for the VLAN tag, which is no longer in the frame
// there.
std::span<bpf_instruction const> kernel_part(capture_filter const& filter) noexcept {
    if (filter.reads_vlan_tag()) return {};
    return filter.program();
}

std::optional<failure> attach(int fd, capture_filter const& filter, std::string const& place) {
    auto program = kernel_part(filter);
    if (program.empty()) {
        int unused = 0;
        if (set_option(fd, SOL_SOCKET, SO_DETACH_FILTER, unused) || errno == ENOENT) return {};
        return detail::system_failure(place, "SO_DETACH_FILTER");
    }
    if (program.size() > BPF_MAXINSNS)
        return failure{errc::bad_filter,
                       place + ": the filter compiles to " + std::to_string(program.size()) +
                           " instructions, the kernel takes " + std::to_string(BPF_MAXINSNS)};
    sock_fprog attached{static_cast<unsigned short>(program.size()),
                        // the same layout, as asserted above; the kernel only reads
                        reinterpret_cast<sock_filter*>(const_cast<bpf_instruction*>(program.data()))};
    if (set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, attached)) return {};
    return detail::system_failure(place, "SO_ATTACH_FILTER");
}

// Nothing passes from now on, but for what is on its way.
bool deafen(int fd) noexcept {
    sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
    sock_fprog program{1, &none};
    return set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, program);
}

bool same_namespace(int one, int other) noexcept {
    std::uint64_t names[2] = {};
    for (int i : {0, 1}) {
        socklen_t size = sizeof names[i];
        if (::getsockopt(i ? other : one, SOL_SOCKET, SO_NETNS_COOKIE, &names[i], &size) != 0) return false;
    }
    return names[0] == names[1];
}

// The interface of a packet socket that was made elsewhere, 0 when it has none yet. Its descriptor flags are
// ours.
int bound_interface(int fd, error_code& ec) noexcept {
    sockaddr_ll bound{};
    socklen_t size = sizeof bound;
    int type = 0;
    socklen_t type_size = sizeof type;
    bool is_socket = ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
                     ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0;
    bool ours = is_socket && bound.sll_family == AF_PACKET && type == SOCK_RAW;
    if (is_socket && !ours) ec = asio::error::invalid_argument;
    bool ready =
        ours && ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0;
    if (!ready && !ec) ec = detail::link_error(errno);
    return ready ? bound.sll_ifindex : 0;
}

std::string place_of(link_info const& info) {
    if (info.index == 0) return "packet socket on all interfaces";
    if (info.name.empty()) return "packet socket on interface " + std::to_string(info.index);
    return "packet socket on " + info.name;
}

}  // namespace

struct packet_socket::state {
    state(asio::any_io_executor executor, link_info i) : waits(std::move(executor)), info(std::move(i)) {}

    template <class Step>
    static std::unique_ptr<packet_socket> make(asio::any_io_executor executor, int interface, Step step,
                                               error_code& ec, std::string* why);
    std::optional<failure> open_receiver(receive_options const& options);
    std::optional<failure> open_transmitter();
    std::optional<failure> take(detail::unique_fd fd, receive_options const& options);
    std::optional<failure> prepare(int fd, receive_options const& options);
    std::optional<failure> finish(detail::unique_fd fd);
    std::optional<received_frame> acceptable(detail::kernel_frame const& f);
    bool hand_over(detail::kernel_frame const& f, bool by_ring, frame_sink const& sink);
    void read_queue(std::size_t limit, frame_sink const& sink);
    void read_ring(std::size_t limit, frame_sink const& sink);
    void adapt(bool left_is_empty, bool all_read);
    bool take_ring();
    bool open_ring();
    bool reopen_ring();
    bool leave_ring();
    void no_more(error_code& ec);
    void went_down() noexcept;
    bool gone() const;
    bool still_down() const;

    readiness waits;
    link_info info;
    bool see_outgoing = false;
    receive_options how;
    std::optional<capture_filter> filter;
    std::optional<capture_filter> own_filter;     // run here, on the frame with its VLAN tag
    std::optional<detail::receive_slots> slots;   // none when it only sends
    std::unique_ptr<detail::bulk_receiver> bulk;  // none when frames come by the queue alone
    bool changing = false;                        // between the two
    std::size_t seen = 0, delivered = 0;          // by this receive()
    detail::transmit_batch batch;
    link_counters counted;
    bool down = false;    // it went down, and was not seen up since
    bool untold = false;  // ... and the caller does not know yet
    error_code behind;    // what ended a receive that had handed over frames
};

std::optional<failure> packet_socket::state::open_transmitter() {
    if (info.index == 0)
        return failure{errc::no_such_interface, place_of(info) + ": sending needs one interface"};
    detail::unique_fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return detail::system_failure(place_of(info), "socket");
    if (!bind_to(fd.get(), info.index, 0)) return detail::system_failure(place_of(info), "bind");
    return finish(std::move(fd));
}

// With protocol 0 the kernel hands the socket nothing; so whatever is queued once it is bound with ETH_P_ALL
// has passed the filter and bears its auxiliary data.
std::optional<failure> packet_socket::state::open_receiver(receive_options const& options) {
    detail::unique_fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return detail::system_failure(place_of(info), "socket");
    if (auto f = take(std::move(fd), options)) return f;
    bulk = std::make_unique<detail::bulk_receiver>(waits.get_executor());
    return {};
}

std::optional<failure> packet_socket::state::take(detail::unique_fd fd, receive_options const& options) {
    if (auto f = prepare(fd.get(), options)) return f;
    if (!bind_to(fd.get(), info.index, ETH_P_ALL)) return detail::system_failure(place_of(info), "bind");
    how = options;
    how.filter = nullptr;
    how.snapshot = std::clamp(options.snapshot, 1u, capture_filter::whole_frame);
    if (options.filter) filter = *options.filter;
    slots.emplace(how.snapshot);
    return finish(std::move(fd));
}

std::optional<failure> packet_socket::state::prepare(int fd, receive_options const& options) {
    see_outgoing = options.see_outgoing && !info.loopback;
    if (options.filter) {
        if (auto f = attach(fd, *options.filter, place_of(info))) return f;
        if (options.filter->reads_vlan_tag()) own_filter = *options.filter;
    }
    set_receive_buffer(fd, options.buffer);
    if (!see_outgoing)
        set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);  // Linux 4.20; acceptable() does the rest
    if (!set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1))
        return detail::system_failure(place_of(info), "PACKET_AUXDATA");
    if (!set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1))
        return detail::system_failure(place_of(info), "SO_TIMESTAMPNS");
    if (!options.promiscuous || info.index == 0) return {};
    packet_mreq membership{};
    membership.mr_ifindex = info.index;
    membership.mr_type = PACKET_MR_PROMISC;
    if (set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)) return {};
    return detail::system_failure(place_of(info), "PACKET_MR_PROMISC");
}

std::optional<failure> packet_socket::state::finish(detail::unique_fd fd) {
    if (auto ec = waits.assign(std::move(fd))) return failure{ec, place_of(info) + ": event loop"};
    return {};
}

// The frame, unless it is one that the caller did not ask for.
std::optional<received_frame> packet_socket::state::acceptable(detail::kernel_frame const& frame) {
    bool twice = frame.from->sll_hatype == ARPHRD_LOOPBACK;  // on its way out and then on its way in
    if (frame.from->sll_pkttype == PACKET_OUTGOING && (!see_outgoing || twice)) return {};
    auto f = frame.read(how.snapshot);
    if (!f) return ++counted.unreadable, f;
    if (own_filter && !own_filter->matches(f->bytes, f->length)) return {};
    return f;
}

// Frames left out count as seen: a flood of them must not hold the caller.
bool packet_socket::state::hand_over(detail::kernel_frame const& frame, bool by_ring,
                                     frame_sink const& sink) {
    ++seen;
    auto f = acceptable(frame);
    if (!f) return false;
    if (changing && bulk->is_second(*f, by_ring)) {
        --counted.received;
        return false;
    }
    ++delivered;
    sink(*f);
    return true;
}

void packet_socket::state::read_queue(std::size_t limit, frame_sink const& sink) {
    while (seen < limit) {
        auto wanted =
            static_cast<unsigned>(std::min<std::size_t>(limit - seen, detail::receive_slots::count));
        int got = slots->fill(waits.fd(), wanted);
        if (got < 0 && errno == ENETDOWN) {  // told before what is still queued: read on
            down = untold = true;
            continue;
        }
        if (got < 0 && errno != EAGAIN) behind = detail::link_error(errno);
        if (got < 0) return;
        for (unsigned i = 0; i < static_cast<unsigned>(got); ++i) hand_over(slots->at(i), false, sink);
        if (static_cast<unsigned>(got) < wanted) return;
    }
}

void packet_socket::state::read_ring(std::size_t limit, frame_sink const& sink) {
    while (seen < limit) {
        auto f = bulk->ring()->next();
        if (!f) break;
        hand_over(*f, true, sink);
    }
    if (seen > 0) return;
    // Its own word of an interface that went down, which the queue's socket tells the caller.
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(bulk->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
}

void packet_socket::state::adapt(bool left_is_empty, bool all_read) {
    using advice = detail::bulk_receiver::advice;
    auto now = detail::bulk_receiver::clock::now();
    if (changing) {
        changing = !bulk->is_over(now, left_is_empty, all_read);
        if (!changing) bulk->begin_to_count(now);
        return;
    }
    auto what = bulk->count(seen, now);
    if (what == advice::stay) return;
    bool on = what == advice::take_ring;
    if (!(on ? take_ring() : leave_ring())) return;
    (on ? waits : bulk->waits()).end_wait(readiness::reading);
    bulk->change(on, now, std::chrono::system_clock::now());
    changing = true;
}

// In either direction the one opens before the other closes; what comes by both is handed over once.
bool packet_socket::state::take_ring() {
    bool open = bulk->ring() ? reopen_ring() : open_ring();
    open = open && deafen(waits.fd());
    if (!open) bulk.reset();
    return open;
}

// The thread may be in another network namespace by now, and may have fewer privileges.
bool packet_socket::state::open_ring() {
    detail::unique_fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd || !same_namespace(fd.get(), waits.fd())) return false;
    how.filter = filter ? &*filter : nullptr;
    auto failed = prepare(fd.get(), how);
    how.filter = nullptr;
    int number = fd.get();
    return !failed && bulk->open(std::move(fd), how.buffer) && bind_to(number, info.index, ETH_P_ALL);
}

bool packet_socket::state::reopen_ring() {
    bulk->forget_frames();
    return !attach(bulk->fd(), filter.value_or(capture_filter()), {});
}

bool packet_socket::state::leave_ring() {
    return !attach(waits.fd(), filter.value_or(capture_filter()), {}) && deafen(bulk->fd());
}

// The queue is empty and the caller has been given nothing: what else is there to say?
void packet_socket::state::no_more(error_code& ec) {
    if (behind) {
        ec = std::exchange(behind, error_code());
    } else if (down && gone()) {
        ec = errc::no_such_interface;
    } else if (std::exchange(untold, false)) {
        ec = errc::interface_down;
    } else if (down) {
        down = still_down();
    }
}

// Told by a send; the reader must know, too, unless it does.
void packet_socket::state::went_down() noexcept {
    if (slots && !std::exchange(down, true)) untold = true;
}

// A packet socket whose interface was removed is bound to index -1 from then on (packet_notifier,
// af_packet.c).
bool packet_socket::state::gone() const {
    sockaddr_ll bound{};
    socklen_t size = sizeof bound;
    return ::getsockname(waits.fd(), reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
           bound.sll_ifindex == -1;
}

bool packet_socket::state::still_down() const {
    error_code ec;
    auto now = detail::interface_info_by(waits.fd(), info.index, ec);
    return ec || !now.up;
}

template <class Step>
std::unique_ptr<packet_socket> packet_socket::state::make(asio::any_io_executor executor, int interface,
                                                          Step step, error_code& ec, std::string* why) {
    auto info = interface_info(interface, ec);
    auto s = std::make_unique<state>(std::move(executor), std::move(info));
    auto failed = ec ? std::optional(failure{ec, place_of(s->info)}) : step(*s);
    if (!failed) return std::unique_ptr<packet_socket>(new packet_socket(std::move(s)));
    detail::report_failure(std::move(*failed), ec, why);
    return nullptr;
}

std::unique_ptr<packet_socket> packet_socket::open(asio::any_io_executor executor, int interface,
                                                   receive_options const& options, error_code& ec,
                                                   std::string* why) {
    auto step = [&](state& s) { return s.open_receiver(options); };
    return state::make(std::move(executor), interface, step, ec, why);
}

std::unique_ptr<packet_socket> packet_socket::transmitter(asio::any_io_executor executor, int interface,
                                                          error_code& ec, std::string* why) {
    auto step = [](state& s) { return s.open_transmitter(); };
    return state::make(std::move(executor), interface, step, ec, why);
}

std::unique_ptr<packet_socket> packet_socket::adopt(asio::any_io_executor executor, int descriptor,
                                                    int interface, receive_options const& options,
                                                    error_code& ec, std::string* why) {
    detail::unique_fd fd(descriptor);
    auto bound = bound_interface(fd.get(), ec);
    if (!ec && bound != 0 && interface != 0 && bound != interface) ec = asio::error::invalid_argument;
    if (interface == 0) interface = bound;
    link_info info;
    if (!ec) info = detail::interface_info_by(fd.get(), interface, ec);
    auto s = std::make_unique<state>(std::move(executor), std::move(info));
    auto place = "descriptor " + std::to_string(descriptor) + " as " + place_of(s->info);
    auto failed = ec ? std::optional(failure{ec, place}) : s->take(std::move(fd), options);
    if (!failed) return std::unique_ptr<packet_socket>(new packet_socket(std::move(s)));
    detail::report_failure(std::move(*failed), ec, why);
    return nullptr;
}

std::unique_ptr<packet_socket> packet_socket::open(asio::any_io_executor executor, int interface,
                                                   receive_options const& options) {
    return detail::or_throw([&](error_code& ec, std::string* why) {
        return open(std::move(executor), interface, options, ec, why);
    });
}

std::unique_ptr<packet_socket> packet_socket::transmitter(asio::any_io_executor executor, int interface) {
    return detail::or_throw([&](error_code& ec, std::string* why) {
        return transmitter(std::move(executor), interface, ec, why);
    });
}

packet_socket::packet_socket(std::unique_ptr<state> s) : state_(std::move(s)) {}
packet_socket::~packet_socket() = default;

asio::any_io_executor packet_socket::get_executor() const {
    return state_->waits.get_executor();
}
link_info const& packet_socket::info() const noexcept {
    return state_->info;
}

std::size_t packet_socket::receive(std::size_t limit, frame_sink sink, error_code& ec) {
    auto& s = *state_;
    ec = {};
    if (!s.slots) return 0;
    bool by_ring = s.bulk && s.bulk->is_on();
    s.seen = s.delivered = 0;
    // The way that is left is emptied first.
    if (by_ring != s.changing) s.read_ring(limit, sink);
    bool left_is_empty = s.seen < limit;
    // Errors are told by the queue.
    if (!by_ring || s.changing || s.seen == 0) s.read_queue(limit, sink);
    if (by_ring) left_is_empty = s.seen < limit;
    if (by_ring && s.changing) s.read_ring(limit, sink);
    if (s.delivered == 0 && s.seen < limit) s.no_more(ec);
    auto delivered = s.delivered;
    if (s.bulk) s.adapt(left_is_empty, s.seen < limit);
    return delivered;
}

std::size_t packet_socket::transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) {
    ec = {};
    std::size_t sent = 0;
    bool again = false;
    while (sent < frames.size()) {
        int n = state_->batch.send(state_->waits.fd(), frames.subspan(sent), [](std::size_t, msghdr&) {});
        if (n < 0 && errno == ENETDOWN && !std::exchange(again, true)) {
            // Whoever calls first is told that the interface went down, even if it is up again by now.
            state_->went_down();
            continue;
        }
        if (n < 0) {
            ec = detail::link_error(errno);
            break;
        }
        sent += static_cast<std::size_t>(n);
    }
    return sent;
}

void packet_socket::wait_readable(wait_handler handler) {
    auto& s = *state_;
    auto at_most = s.untold || s.behind ? at_once : s.down ? look_again : std::chrono::milliseconds(0);
    if (at_most.count() == 0 && s.changing) at_most = look_at_both;
    bool by_ring = s.bulk && s.bulk->is_on();
    (by_ring ? s.bulk->waits() : s.waits).wait(readiness::reading, std::move(handler), at_most);
}

void packet_socket::wait_writable(wait_handler handler) {
    state_->waits.wait(readiness::writing, std::move(handler));
}
void packet_socket::cancel_readable() {
    state_->waits.cancel(readiness::reading);
    if (state_->bulk) state_->bulk->waits().cancel(readiness::reading);
}
void packet_socket::cancel_writable() {
    state_->waits.cancel(readiness::writing);
}

// PACKET_STATISTICS starts anew with each reading, and counts among the packets those that it dropped.
link_counters packet_socket::counters() {
    auto& s = *state_;
    auto add = [&](int fd) {
        tpacket_stats since{};
        socklen_t size = sizeof since;
        if (::getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &since, &size) != 0) return;
        s.counted.received += since.tp_packets - since.tp_drops;
        s.counted.kernel_dropped += since.tp_drops;
    };
    if (s.slots) add(s.waits.fd());
    if (s.bulk && s.bulk->ring()) add(s.bulk->fd());
    return s.counted;
}

void packet_socket::set_filter(capture_filter const& filter, error_code& ec, std::string* why) {
    auto& s = *state_;
    ec = {};
    bool by_ring = s.bulk && s.bulk->is_on();
    if (auto f = attach(by_ring ? s.bulk->fd() : s.waits.fd(), filter, place_of(s.info)))
        return detail::report_failure(std::move(*f), ec, why);
    s.filter = filter;
    s.own_filter.reset();
    if (filter.reads_vlan_tag()) s.own_filter = filter;
}

std::size_t packet_socket::granted_buffer() const {
    int bytes = 0;
    socklen_t size = sizeof bytes;
    ::getsockopt(state_->waits.fd(), SOL_SOCKET, SO_RCVBUF, &bytes, &size);
    return static_cast<std::size_t>(bytes);
}

}  // namespace sonde::inline v0
