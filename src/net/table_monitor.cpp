#include "net/table_monitor.hpp"

#include "net/netlink_socket.hpp"
#include "net/rtnetlink.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace sonde::inline v0 {

table_changes& table_changes::operator|=(table_changes const& more) {
    links |= more.links;
    addresses |= more.addresses;
    routes |= more.routes;
    neighbours |= more.neighbours;
    overrun |= more.overrun;
    return *this;
}

namespace detail {
namespace {

constexpr std::array groups{RTNLGRP_LINK,        RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                            RTNLGRP_IPV6_IFINFO, RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE,
                            RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,   RTNLGRP_NEIGH};

error_code join(int fd, int group) {
    if (::setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0) return {};
    return {errno, boost::system::system_category()};
}

error_code join_all(int fd) {
    int room = 1 << 20;  // a burst of a few thousand notifications; the kernel's own limit may be lower
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    for (int group : groups)
        if (auto ec = join(fd, group)) return ec;
    join(fd, RTNLGRP_NEXTHOP);  // Linux 5.3; before it there are no nexthop objects
    return {};
}

}  // namespace

struct table_monitor::subscription : std::enable_shared_from_this<subscription> {
    explicit subscription(boost::asio::any_io_executor const& executor) : socket(executor) {}

    table_changes drain();
    void wait();
    void on_ready(unsigned of_start);

    boost::asio::posix::stream_descriptor socket;
    std::shared_ptr<callback> changed;  // shared with a call of it, which may replace it
    unsigned starts = 0;                // tells the waits of an earlier start from this one's
    bool active = false;
};

table_monitor::table_monitor(boost::asio::any_io_executor executor, int netns)
    : netns_(netns), subscription_(std::make_shared<subscription>(std::move(executor))) {}

table_monitor::~table_monitor() {
    stop();
    error_code ignored;
    subscription_->socket.close(ignored);
}

bool table_monitor::is_open() const {
    return subscription_->socket.is_open();
}

error_code table_monitor::open() {
    if (is_open()) return {};
    error_code ec;
    auto fd = open_netlink(ec, netns_);
    if (!ec) ec = join_all(fd.get());
    if (!ec) subscription_->socket.assign(fd.get(), ec);
    if (!ec) fd.release();
    return ec;
}

table_changes table_monitor::poll() {
    return is_open() ? subscription_->drain() : table_changes{};
}

void table_monitor::start(callback changed) {
    auto& s = *subscription_;
    s.changed = std::make_shared<callback>(std::move(changed));
    if (std::exchange(s.active, true)) return;
    ++s.starts;
    s.wait();
}

void table_monitor::stop() noexcept {
    if (!std::exchange(subscription_->active, false)) return;
    error_code ignored;
    subscription_->socket.cancel(ignored);
}

/// Reads until the socket is empty, or so much that the event loop should have its turn: the wait goes on
/// from there.
table_changes table_monitor::subscription::drain() {
    table_changes found;
    std::array<std::byte, 16384> buffer;
    for (int datagrams = 0; datagrams < 4096; ++datagrams) {
        error_code ec;
        auto part = receive_from_kernel(socket.native_handle(), buffer, ec);
        if (ec.value() == EAGAIN) return found;
        if (ec) {  // ENOBUFS: the kernel dropped some; EMSGSIZE: one that is longer than any we know
            found.overrun = true;
            if (ec.value() != ENOBUFS && ec.value() != EMSGSIZE) return found;
            continue;
        }
        auto news = read_news(part);
        found |= {news.links, news.addresses, news.routes, news.neighbours, false};
    }
    return found;
}

void table_monitor::subscription::wait() {
    socket.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this(), of_start = starts](error_code ec) {
                          if (!ec) self->on_ready(of_start);
                      });
}

void table_monitor::subscription::on_ready(unsigned of_start) {
    if (!active || of_start != starts) return;
    auto found = drain();
    auto call = changed;
    wait();
    if (found.any()) (*call)(found);
}

}  // namespace detail
}  // namespace sonde::inline v0
