#include <sonde/link/packet_socket.hpp>
#include <sonde/link/raw_socket.hpp>

#include "link/readiness.hpp"
#include "link/system.hpp"
#include "link/transmit_batch.hpp"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <optional>

namespace sonde::inline v0 {

using detail::failure;
using detail::readiness;

namespace {

using bytes = std::span<std::byte const>;

// AF_INET or AF_INET6 when the packet holds a whole IP header of that version, else 0.
int family_of(bytes packet) noexcept {
    int version = packet.empty() ? 0 : std::to_integer<int>(packet[0] >> 4);
    if (version == 4 && packet.size() >= 20) return AF_INET;
    if (version == 6 && packet.size() >= 40) return AF_INET6;
    return 0;
}

// The destination addresses of a batch, read from the packets (RFC 791 §3.1, RFC 8200 §3).
struct destinations {
    union address {
        sockaddr_in v4;
        sockaddr_in6 v6;
    };

    void put(std::size_t i, bytes packet, int scope, msghdr& header) noexcept {
        auto& to = addresses[i];
        std::memset(&to, 0, sizeof to);
        if (family_of(packet) == AF_INET) {
            to.v4.sin_family = AF_INET;
            std::memcpy(&to.v4.sin_addr, packet.data() + 16, 4);
            header.msg_namelen = sizeof to.v4;
        } else {
            to.v6.sin6_family = AF_INET6;
            to.v6.sin6_scope_id =
                static_cast<std::uint32_t>(scope);  // looked at for link-local addresses only
            std::memcpy(&to.v6.sin6_addr, packet.data() + 24, 16);
            header.msg_namelen = sizeof to.v6;
        }
        header.msg_name = &to;
    }

    std::array<address, detail::transmit_batch::most> addresses;
};

bool enable(int fd, int level, int name) noexcept {
    int on = 1;
    return ::setsockopt(fd, level, name, &on, sizeof on) == 0;
}

// Packets of protocol 255 would be queued on a socket that nobody reads.
bool receive_nothing(int fd) noexcept {
    sock_filter reject = BPF_STMT(BPF_RET | BPF_K, 0);
    sock_fprog program{1, &reject};
    return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

}  // namespace

struct raw_socket::state {
    explicit state(std::unique_ptr<packet_socket> receiver)
        : in(std::move(receiver)), info(in->info()), v4(in->get_executor()), v6(in->get_executor()) {
        info.type = link_type::raw;
    }

    std::optional<failure> open_sender(int family, readiness& waits);
    std::optional<failure> open_senders();
    std::size_t transmit_run(std::span<bytes const> run, readiness& out, error_code& ec);

    std::unique_ptr<packet_socket> in;
    link_info info;
    readiness v4, v6;
    bool has_v6 = false;
    readiness* full = &v4;  // whose send buffer was full the last time
    detail::transmit_batch batch;
    destinations to;
};

std::optional<failure> raw_socket::state::open_sender(int family, readiness& waits) {
    bool is_v4 = family == AF_INET;
    std::string place = is_v4 ? "raw IPv4 socket" : "raw IPv6 socket";
    detail::unique_fd fd(::socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW));
    if (!fd) return detail::system_failure(place, "socket");
    bool ready =
        receive_nothing(fd.get()) && enable(fd.get(), SOL_SOCKET, SO_BROADCAST) &&
        (is_v4 ? enable(fd.get(), IPPROTO_IP, IP_HDRINCL) : enable(fd.get(), IPPROTO_IPV6, IPV6_HDRINCL));
    if (!ready) return detail::system_failure(place, "setsockopt");
    if (auto ec = waits.assign(std::move(fd))) return failure{ec, place + ": event loop"};
    return {};
}

std::optional<failure> raw_socket::state::open_senders() {
    if (auto f = open_sender(AF_INET, v4)) return f;
    auto f = open_sender(AF_INET6, v6);
    has_v6 = !f;
    bool no_ipv6 =
        f && f->code.value() == EAFNOSUPPORT && f->code.category() == boost::system::system_category();
    return no_ipv6 ? std::nullopt : f;
}

// Sends packets of one family.
std::size_t raw_socket::state::transmit_run(std::span<bytes const> run, readiness& out, error_code& ec) {
    std::size_t sent = 0;
    while (sent < run.size()) {
        auto rest = run.subspan(sent);
        auto address = [&](std::size_t i, msghdr& header) { to.put(i, rest[i], info.index, header); };
        int n = batch.send(out.fd(), rest, address);
        if (n < 0) {
            ec = detail::link_error(errno);
            if (ec == asio::error::would_block) full = &out;
            break;
        }
        sent += static_cast<std::size_t>(n);
    }
    return sent;
}

std::unique_ptr<raw_socket> raw_socket::open(asio::any_io_executor executor, int interface,
                                             receive_options const& options, error_code& ec,
                                             std::string* why) {
    auto in = packet_socket::open(std::move(executor), interface, options, ec, why);
    if (!in) return nullptr;
    auto s = std::make_unique<state>(std::move(in));
    auto failed = s->open_senders();
    if (!failed) return std::unique_ptr<raw_socket>(new raw_socket(std::move(s)));
    detail::report_failure(std::move(*failed), ec, why);
    return nullptr;
}

std::unique_ptr<raw_socket> raw_socket::open(asio::any_io_executor executor, int interface,
                                             receive_options const& options) {
    return detail::or_throw([&](error_code& ec, std::string* why) {
        return open(std::move(executor), interface, options, ec, why);
    });
}

raw_socket::raw_socket(std::unique_ptr<state> s) : state_(std::move(s)) {}
raw_socket::~raw_socket() = default;

asio::any_io_executor raw_socket::get_executor() const {
    return state_->in->get_executor();
}
link_info const& raw_socket::info() const noexcept {
    return state_->info;
}

std::size_t raw_socket::receive(std::size_t limit, frame_sink sink, error_code& ec) {
    return state_->in->receive(limit, sink, ec);
}

std::size_t raw_socket::transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) {
    ec = {};
    std::size_t sent = 0;
    while (sent < frames.size() && !ec) {
        auto family = family_of(frames[sent]);
        if (family == 0) return ec = asio::error::invalid_argument, sent;
        if (family == AF_INET6 && !state_->has_v6)
            return ec = asio::error::address_family_not_supported, sent;
        auto end = sent + 1;
        while (end < frames.size() && family_of(frames[end]) == family) ++end;
        auto run = frames.subspan(sent, end - sent);
        sent += state_->transmit_run(run, family == AF_INET ? state_->v4 : state_->v6, ec);
    }
    return sent;
}

void raw_socket::wait_readable(wait_handler handler) {
    state_->in->wait_readable(std::move(handler));
}

void raw_socket::wait_writable(wait_handler handler) {
    state_->full->wait(readiness::writing, std::move(handler));
}

void raw_socket::cancel_readable() {
    state_->in->cancel_readable();
}

void raw_socket::cancel_writable() {
    state_->v4.cancel(readiness::writing);
    state_->v6.cancel(readiness::writing);
}

link_counters raw_socket::counters() {
    return state_->in->counters();
}

}  // namespace sonde::inline v0
