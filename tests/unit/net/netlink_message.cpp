#include "net/netlink_message.hpp"

#include "messages.hpp"
#include "support/catch.hpp"

#include <cerrno>
#include <random>

using namespace sonde;
using namespace sonde::detail;
using messages::bytes;
using messages::operator+;

namespace {

bytes raw(std::initializer_list<int> values) {
    bytes all;
    for (auto v : values) all.push_back(static_cast<std::byte>(v));
    return all;
}

std::vector<std::size_t> attribute_sizes(bytes const& run) {
    std::vector<std::size_t> sizes;
    attribute_cursor cursor(run);
    while (auto a = cursor.next()) sizes.push_back(a->value.size());
    return sizes;
}

}  // namespace

TEST_CASE("attributes are read one by one, with padding between them", "[net][netlink]") {
    auto run = raw({5, 0, 1, 0, 42, 0, 0, 0, /**/ 4, 0, 2, 0, /**/ 8, 0, 3, 0x80, 1, 2, 3, 4});
    attribute_cursor cursor(run);
    auto a = cursor.next();
    REQUIRE(a);
    CHECK(a->type == 1);
    CHECK(a->value.size() == 1);
    CHECK(a->value[0] == std::byte{42});
    CHECK(a->u32(7) == 7);  // too short to be a number
    CHECK(cursor.next()->value.empty());
    auto c = cursor.next();
    REQUIRE(c);
    CHECK(c->type == 3);  // the flag "nested" is not part of the type
    CHECK(c->u32() == 0x04030201);
    CHECK_FALSE(cursor.next());
    CHECK_FALSE(cursor.damaged());
}

TEST_CASE("the last attribute may lack its padding", "[net][netlink]") {
    CHECK(attribute_sizes(raw({5, 0, 1, 0, 42})) == std::vector<std::size_t>{1});
}

TEST_CASE("an attribute with an impossible length ends the walk", "[net][netlink]") {
    for (int length : {0, 1, 2, 3, 13, 255}) {
        INFO("length " << length);
        auto run = raw({8, 0, 1, 0, 1, 2, 3, 4, length, 0, 2, 0, 1, 2, 3, 4});
        attribute_cursor cursor(run);
        CHECK(cursor.next());
        CHECK_FALSE(cursor.next());
        CHECK(cursor.damaged());
        CHECK_FALSE(cursor.next());  // and it stays ended
    }
    auto longest = raw({255, 255, 0, 0});
    attribute_cursor huge(longest);
    CHECK_FALSE(huge.next());
}

TEST_CASE("messages are read one by one", "[net][netlink]") {
    bytes run =
        bytes(messages::message(RTM_NEWROUTE, rtmsg{}, 5)) + messages::message(NLMSG_DONE, 0, 6, NLM_F_MULTI);
    message_cursor cursor(run);
    auto m = cursor.next();
    REQUIRE(m);
    CHECK(m->type == RTM_NEWROUTE);
    CHECK(m->sequence == 5);
    CHECK(m->body.size() == sizeof(rtmsg));
    m = cursor.next();
    REQUIRE(m);
    CHECK(m->type == NLMSG_DONE);
    CHECK(m->flags == NLM_F_MULTI);
    CHECK_FALSE(cursor.next());
    CHECK_FALSE(cursor.damaged());
}

TEST_CASE("a message with an impossible length ends the walk", "[net][netlink]") {
    bytes good = messages::message(RTM_NEWROUTE, rtmsg{});
    for (std::uint32_t length : {0U, 1U, 15U, 16U + 13U, 0x7fffffffU, 0xffffffffU}) {
        INFO("length " << length);
        bytes bad = good;
        std::memcpy(bad.data(), &length, 4);
        bytes run = good + bad;
        message_cursor cursor(run);
        CHECK(cursor.next());
        CHECK_FALSE(cursor.next());
        CHECK(cursor.damaged());
    }
}

TEST_CASE("a run cut short gives its whole messages only", "[net][netlink]") {
    bytes one = messages::message(RTM_NEWROUTE, rtmsg{});
    bytes run = one + one;
    for (std::size_t size = 0; size <= run.size(); ++size) {
        INFO("cut at " << size);
        bytes cut(run.begin(),
                  run.begin() + static_cast<std::ptrdiff_t>(size));  // its own end, for the sanitizer
        message_cursor cursor(cut);
        std::size_t count = 0;
        while (cursor.next()) ++count;
        CHECK(count == size / one.size());
        CHECK(cursor.damaged() == (size % one.size() != 0));
    }
}

TEST_CASE("any bytes are walked in a bounded number of steps", "[net][netlink]") {
    std::mt19937 random(1);
    for (int round = 0; round < 20000; ++round) {
        bytes noise(random() % 96);
        for (auto& b : noise) b = static_cast<std::byte>(random() % 3 ? random() % 24 : random());
        std::size_t steps = 0;
        message_cursor outer(noise);
        while (auto m = outer.next()) {
            ++steps;
            auto inner = m->attributes(random() % 40);
            while (inner.next()) ++steps;
        }
        attribute_cursor flat(noise);
        while (flat.next()) ++steps;
        REQUIRE(steps <= noise.size() / 2);
    }
}

TEST_CASE("errors are negative errno values, and nothing else is one", "[net][netlink]") {
    auto told = [](int code) { return messages::first(messages::message(NLMSG_ERROR, code)).error(); };
    CHECK(told(-ENETUNREACH) == ENETUNREACH);
    CHECK(told(0) == 0);
    CHECK(told(5) == 0);
    CHECK(told(-2147483647 - 1) == 0);
    CHECK(netlink_message{}.error() == 0);
}

TEST_CASE("a request is laid out as the kernel reads it", "[net][netlink]") {
    netlink_request request(RTM_GETROUTE, NLM_F_DUMP);
    rtmsg head{};
    head.rtm_family = 2;
    request.header(head).attribute(RTA_DST, std::array<std::uint8_t, 5>{1, 2, 3, 4, 5});
    request.attribute<std::uint32_t>(RTA_OIF, 7);
    request.sequence(99);
    auto made = request.bytes();
    CHECK(made.size() == 16 + 12 + 12 + 8);
    message_cursor cursor(made);
    auto m = cursor.next();
    REQUIRE(m);
    CHECK(m->type == RTM_GETROUTE);
    CHECK(m->flags == (NLM_F_REQUEST | NLM_F_DUMP));
    CHECK(m->sequence == 99);
    auto attributes = m->attributes(sizeof(rtmsg));
    CHECK(attributes.next()->value.size() == 5);
    CHECK(attributes.next()->u32() == 7);
    CHECK_FALSE(attributes.next());
    CHECK_FALSE(attributes.damaged());
    CHECK_FALSE(cursor.next());
}

TEST_CASE("a request that would outgrow its buffer is refused", "[net][netlink]") {
    netlink_request request(RTM_GETROUTE);
    std::array<std::byte, 236> most{};
    CHECK_THROWS_AS(request.attribute_bytes(1, bytes(237)), error);
    netlink_request fits(RTM_GETROUTE);
    CHECK(fits.attribute_bytes(1, most).bytes().size() == 256);
}
