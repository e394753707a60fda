#include "net/netlink_socket.hpp"

#include "messages.hpp"
#include "net/kernel_questions.hpp"
#include "net/rtnetlink.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <linux/neighbour.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

using namespace sonde;
using namespace sonde::detail;
using messages::bytes;
using messages::operator+;

namespace {

/// A kernel whose answers are written down before it is asked. It knows that requests are numbered 1, 2, 3
/// ...
class scripted_kernel {
public:
    scripted_kernel() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        kernel_ = owned_fd(ends[0]);
        socket = netlink_socket(owned_fd(ends[1]));
    }

    scripted_kernel& says(bytes const& datagram) {
        REQUIRE(::send(kernel_.get(), datagram.data(), datagram.size(), 0) ==
                static_cast<ssize_t>(datagram.size()));
        return *this;
    }

    /// The type of the next request that it was sent; 0 when there is none.
    int asked() {
        std::array<std::byte, 512> buffer;
        auto size = ::recv(kernel_.get(), buffer.data(), buffer.size(), 0);
        if (size < 16) return 0;
        std::span<std::byte const> request(buffer.data(), static_cast<std::size_t>(size));
        message_cursor cursor(request);
        return cursor.next()->type;
    }

    netlink_socket socket;

private:
    owned_fd kernel_;
};

bytes part(std::uint32_t sequence, int index, std::uint16_t flags = 0) {
    ifinfomsg head{};
    head.ifi_index = index;
    return messages::message(RTM_NEWLINK, head, sequence, static_cast<std::uint16_t>(NLM_F_MULTI | flags));
}

bytes done(std::uint32_t sequence, int code = 0, std::uint16_t flags = 0) {
    return messages::message(NLMSG_DONE, code, sequence, static_cast<std::uint16_t>(NLM_F_MULTI | flags));
}

bytes refusal(std::uint32_t sequence, int code) {
    nlmsgerr body{};
    body.error = -code;
    return messages::message(NLMSG_ERROR, body, sequence);
}

std::vector<int> indices(std::vector<std::byte> const& dump) {
    std::vector<int> found;
    message_cursor cursor(dump);
    while (auto m = cursor.next())
        if (m->type == RTM_NEWLINK) found.push_back(read_as<ifinfomsg>(m->body)->ifi_index);
    return found;
}

error_code system(int number) {
    return {number, boost::system::system_category()};
}

}  // namespace

TEST_CASE("a reply is the message with the request's number", "[net][netlink]") {
    scripted_kernel kernel;
    kernel.says(part(77, 1)).says(part(1, 2) + part(1, 3));
    netlink_message reply;
    REQUIRE_FALSE(kernel.socket.get(links_request(), reply));
    CHECK(read_as<ifinfomsg>(reply.body)->ifi_index == 2);
    CHECK(kernel.asked() == RTM_GETLINK);
}

TEST_CASE("a refusal is a system error, with the kernel's words", "[net][netlink]") {
    scripted_kernel kernel;
    nlmsgerr body{};
    body.error = -EINVAL;
    body.msg.nlmsg_len = sizeof(nlmsghdr) + 60;
    kernel.says(messages::message(NLMSG_ERROR, body, 1, NLM_F_CAPPED | NLM_F_ACK_TLVS)
                    .text(NLMSGERR_ATTR_MSG, "Invalid address length"));
    netlink_message reply;
    CHECK(kernel.socket.get(links_request(), reply) == system(EINVAL));
    CHECK(kernel.socket.explanation() == "Invalid address length");
    kernel.says(refusal(2, ENODEV));
    CHECK(kernel.socket.get(links_request(), reply) == system(ENODEV));
    CHECK(kernel.socket.explanation().empty());
}

TEST_CASE("words behind a quoted request are found, and lies about its length do no harm", "[net][netlink]") {
    for (std::uint32_t said : {16U, 24U, 1000U, 0xfffffff0U}) {
        scripted_kernel kernel;
        nlmsgerr body{};
        body.error = -EINVAL;
        body.msg.nlmsg_len = said;
        std::array<std::byte, 8> rest_of_request{};
        bytes whole = messages::message(NLMSG_ERROR, body, 1, NLM_F_ACK_TLVS);
        whole.insert(whole.end(), rest_of_request.begin(), rest_of_request.end());
        auto words = messages::attribute(NLMSGERR_ATTR_MSG, std::array<char, 4>{'n', 'o', '!', 0});
        whole.insert(whole.end(), words.begin(), words.end());
        auto length = static_cast<std::uint32_t>(whole.size());
        std::memcpy(whole.data(), &length, 4);
        kernel.says(whole);
        netlink_message reply;
        CHECK(kernel.socket.get(links_request(), reply) == system(EINVAL));
        CHECK(kernel.socket.explanation() == (said == 24 ? "no!" : ""));
    }
}

TEST_CASE("a dump is all messages up to its end, whatever their datagrams", "[net][netlink]") {
    scripted_kernel kernel;
    kernel.says(part(1, 1) + part(1, 2)).says(part(99, 9)).says(part(1, 3)).says(done(1));
    std::vector<std::byte> dump;
    REQUIRE_FALSE(kernel.socket.dump(links_request(), dump, 10000));
    CHECK(indices(dump) == std::vector<int>{1, 2, 3});
    CHECK(kernel.asked() == RTM_GETLINK);
    CHECK(kernel.asked() == 0);
}

TEST_CASE("a dump during which the tables changed is begun anew", "[net][netlink]") {
    scripted_kernel kernel;
    kernel.says(part(1, 1)).says(part(1, 2, NLM_F_DUMP_INTR)).says(done(1));
    kernel.says(part(2, 1)).says(done(2, 0, NLM_F_DUMP_INTR));
    kernel.says(part(3, 5)).says(done(3));
    std::vector<std::byte> dump;
    REQUIRE_FALSE(kernel.socket.dump(links_request(), dump, 10000));
    CHECK(indices(dump) == std::vector<int>{5});
}

TEST_CASE("a dump that is never consistent is given up", "[net][netlink]") {
    scripted_kernel kernel;
    for (int attempt = 1; attempt <= netlink_socket::attempts + 1; ++attempt)
        kernel.says(part(static_cast<std::uint32_t>(attempt), 1, NLM_F_DUMP_INTR))
            .says(done(static_cast<std::uint32_t>(attempt)));
    std::vector<std::byte> dump;
    CHECK(kernel.socket.dump(links_request(), dump, 10000) == system(EINTR));
    CHECK(dump.empty());
    int requests = 0;
    while (kernel.asked()) ++requests;
    CHECK(requests == netlink_socket::attempts);
}

TEST_CASE("a dump may be refused at its beginning or break off at its end", "[net][netlink]") {
    std::vector<std::byte> dump;
    scripted_kernel first;
    first.says(refusal(1, EOPNOTSUPP));
    CHECK(first.socket.dump(links_request(), dump, 10000) == system(EOPNOTSUPP));
    scripted_kernel last;
    last.says(part(1, 1)).says(done(1, -ENOMEM));
    CHECK(last.socket.dump(links_request(), dump, 10000) == system(ENOMEM));
}

TEST_CASE("a dump that is too long is not taken", "[net][netlink]") {
    scripted_kernel kernel;
    kernel.says(part(1, 1) + part(1, 2)).says(part(1, 3)).says(done(1));
    std::vector<std::byte> dump;
    CHECK(kernel.socket.dump(links_request(), dump, 80) == system(EOVERFLOW));
    CHECK_FALSE(kernel.socket.is_open());  // the rest of it must not meet the next request
}

TEST_CASE("a reply that is too long for the buffer is an error", "[net][netlink]") {
    scripted_kernel kernel;
    kernel.says(bytes(40000));
    netlink_message reply;
    CHECK(kernel.socket.get(links_request(), reply) == system(EMSGSIZE));
}

TEST_CASE("a kernel that refuses to ask for one neighbour is asked for all", "[net][netlink]") {
    auto neighbour = [](std::uint32_t sequence, int interface, std::uint8_t host, std::uint16_t state) {
        ndmsg head{};
        head.ndm_family = AF_INET;
        head.ndm_ifindex = interface;
        head.ndm_state = state;
        return bytes(messages::message(RTM_NEWNEIGH, head, sequence, NLM_F_MULTI)
                         .with(NDA_DST, messages::quad{198, 18, 0, host})
                         .with(NDA_LLADDR, std::array<std::uint8_t, 6>{
                                               2, 0, 0, 0, static_cast<std::uint8_t>(interface), host}));
    };
    scripted_kernel kernel;
    kernel.says(refusal(1, EOPNOTSUPP));
    kernel
        .says(neighbour(2, 3, 1, NUD_STALE) + neighbour(2, 3, 2, NUD_FAILED) + neighbour(2, 4, 1, NUD_STALE))
        .says(done(2));
    bool dumps_only = false;
    error_code ec;
    CHECK(ask_neighbour(kernel.socket, 4, ipv4("198.18.0.1"), dumps_only, ec) == mac("02:00:00:00:04:01"));
    CHECK_FALSE(ec);
    CHECK(dumps_only);
    kernel.says(neighbour(3, 3, 2, NUD_FAILED)).says(done(3));
    CHECK_FALSE(ask_neighbour(kernel.socket, 3, ipv4("198.18.0.2"), dumps_only, ec));
    CHECK_FALSE(ec);
}

TEST_CASE("the kernel's refusals to route are what `ip route get` knows", "[net][netlink]") {
    auto asked = [](int code) {
        scripted_kernel kernel;
        kernel.says(refusal(1, code));
        return ask_route(kernel.socket, ipv4("198.18.0.1"), 0);
    };
    CHECK(asked(EINVAL)->kind == route_kind::blackhole);
    CHECK(asked(EHOSTUNREACH)->kind == route_kind::unreachable);
    CHECK(asked(EACCES)->kind == route_kind::prohibit);
    CHECK(asked(ENETUNREACH).error() == errc::no_route);
    CHECK(asked(EAGAIN).error() == errc::no_route);
    CHECK(asked(EOPNOTSUPP).error() == errc::no_route);
    CHECK(asked(ENODEV).error() == errc::no_such_interface);
    CHECK(asked(ENOMEM).error() == system(ENOMEM));
    scripted_kernel odd;
    odd.says(part(1, 1));
    CHECK(ask_route(odd.socket, ipv4("198.18.0.1"), 0).error() == boost::system::errc::bad_message);
}

TEST_CASE("tables are put together from six dumps, and what a kernel lacks is empty", "[net][netlink]") {
    ifinfomsg link{};
    link.ifi_index = 3;
    ifaddrmsg address{};
    address.ifa_family = AF_INET;
    address.ifa_index = 3;
    address.ifa_prefixlen = 24;
    ifaddrmsg stray = address;
    stray.ifa_index = 9;
    rtmsg route{};
    route.rtm_family = AF_INET;
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_type = RTN_UNICAST;
    auto route_dump = [&](std::uint32_t sequence) {
        return bytes(messages::message(RTM_NEWROUTE, route, sequence, NLM_F_MULTI)
                         .with<std::uint32_t>(RTA_OIF, 3)) +
               done(sequence);
    };
    scripted_kernel kernel;
    kernel.says(bytes(messages::message(RTM_NEWLINK, link, 1, NLM_F_MULTI).text(IFLA_IFNAME, "eth0")) +
                done(1));
    kernel.says(
        bytes(messages::message(RTM_NEWADDR, address, 2).with(IFA_LOCAL, messages::quad{198, 18, 0, 2})) +
        bytes(messages::message(RTM_NEWADDR, stray, 2).with(IFA_LOCAL, messages::quad{198, 18, 0, 3})) +
        done(2));
    kernel.says(refusal(3, EAFNOSUPPORT));                             // labels: no IPv6
    kernel.says(refusal(4, EOPNOTSUPP)).says(refusal(5, EOPNOTSUPP));  // rules: not in this kernel
    kernel.says(route_dump(6)).says(route_dump(7));  // asked for IPv6 routes it gives all others
    table_contents found;
    REQUIRE_FALSE(read_tables(kernel.socket, 100000, found));
    REQUIRE(found.interfaces.size() == 1);
    REQUIRE(found.interfaces[0].addresses.size() == 1);
    CHECK(found.interfaces[0].addresses[0].address == ip_address(ipv4("198.18.0.2")));
    CHECK(found.routes.size() == 1);
    CHECK(found.labels.empty());
    CHECK((found.standard_rules_v4 && found.standard_rules_v6));
}

TEST_CASE("real sockets are close-on-exec and non-blocking", "[net][netlink]") {
    error_code ec;
    auto fd = open_netlink(ec);
    REQUIRE_FALSE(ec);
    CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0);
    std::array<std::byte, 64> buffer;
    CHECK(receive_from_kernel(fd.get(), buffer, ec).empty());
    CHECK(ec == system(EAGAIN));
}
