#pragma once

#include "net/netlink_message.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <vector>

/// Netlink messages for tests, as a kernel would write them.
namespace messages {

using bytes = std::vector<std::byte>;

/// A message with a fixed header; attributes are added behind it.
template <class Header>
class message {
public:
    message(std::uint16_t type, Header const& header, std::uint32_t sequence = 0, std::uint16_t flags = 0)
        : type_(type), flags_(flags), sequence_(sequence) {
        put(&header, sizeof(header));
    }

    message& bytes_of(std::uint16_t attribute, void const* data, std::size_t size) {
        std::uint16_t head[2]{static_cast<std::uint16_t>(4 + size), attribute};
        put(head, 4);
        put(data, size);
        return *this;
    }
    template <class T>
    message& with(std::uint16_t attribute, T const& value) {
        return bytes_of(attribute, &value, sizeof(value));
    }
    message& text(std::uint16_t attribute, std::string const& value) {
        return bytes_of(attribute, value.c_str(), value.size() + 1);
    }
    message& nested(std::uint16_t attribute, bytes const& value) {
        return bytes_of(attribute, value.data(), value.size());
    }

    operator bytes() const {
        nlmsghdr head{static_cast<std::uint32_t>(sizeof(nlmsghdr) + body_.size()), type_, flags_, sequence_,
                      0};
        bytes all(sizeof(head) + body_.size());
        std::memcpy(all.data(), &head, sizeof(head));
        std::copy(body_.begin(), body_.end(), all.begin() + sizeof(head));
        return all;
    }

private:
    // Not in line: g++ 12 takes an attribute's head of 4 octets for too small then (-O3, array-bounds).
    [[gnu::noinline]] void put(void const* data, std::size_t size) {
        auto* from = static_cast<std::byte const*>(data);
        body_.insert(body_.end(), from, from + size);
        body_.resize((body_.size() + 3) & ~std::size_t{3});
    }

    std::uint16_t type_, flags_;
    std::uint32_t sequence_;
    bytes body_;
};

using quad = std::array<std::uint8_t, 4>;
using octets = std::array<std::uint8_t, 16>;

inline bytes operator+(bytes a, bytes const& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// One attribute as it stands in a nest.
inline bytes attribute(std::uint16_t type, bytes const& value) {
    std::uint16_t head[2]{static_cast<std::uint16_t>(4 + value.size()), type};
    bytes all((4 + value.size() + 3) & ~std::size_t{3});
    std::memcpy(all.data(), head, 4);
    std::ranges::copy(value, all.begin() + 4);
    return all;
}
template <class T>
bytes attribute(std::uint16_t type, T const& value) {
    bytes raw(sizeof(value));
    std::memcpy(raw.data(), &value, sizeof(value));
    return attribute(type, raw);
}

/// The first message of `all`; the test fails by exception when there is none.
inline sonde::detail::netlink_message first(bytes const& all) {
    sonde::detail::message_cursor cursor(all);
    return cursor.next().value();
}

}  // namespace messages
