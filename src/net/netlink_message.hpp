#pragma once

#include <sonde/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

/// Netlink messages as bytes (netlink(7)): a cursor that cannot leave its span, and a builder for requests.
/// Everything here is pure. Headers and attributes are in host order, addresses in network order.
namespace sonde::inline v0::detail {

/// The object that `bytes` begin with, or nothing when there are too few. Alignment does not matter.
template <class T>
    requires std::is_trivially_copyable_v<T>
std::optional<T> read_as(std::span<std::byte const> bytes) {
    if (bytes.size() < sizeof(T)) return {};
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
}

/// One `rtattr` or `nlattr`: a type without its flag bits, and what it holds.
struct netlink_attribute {
    std::uint16_t type = 0;
    std::span<std::byte const> value;

    /// The 32-bit number that the value begins with; `otherwise` when it is shorter than that.
    std::uint32_t u32(std::uint32_t otherwise = 0) const {
        return read_as<std::uint32_t>(value).value_or(otherwise);
    }
};

/// Walks over a run of attributes. It ends at the first one whose length cannot be true: every step takes at
/// least four bytes, and no value reaches beyond the span.
class attribute_cursor {
public:
    explicit attribute_cursor(std::span<std::byte const> bytes) : rest_(bytes) {}

    std::optional<netlink_attribute> next();
    /// True when the walk stopped at a damaged attribute, not at the end.
    bool damaged() const { return damaged_; }

private:
    std::span<std::byte const> rest_;
    bool damaged_ = false;
};

/// One message: its header's numbers, and what follows the header.
struct netlink_message {
    std::uint16_t type = 0;
    std::uint16_t flags = 0;
    std::uint32_t sequence = 0;
    std::span<std::byte const> body;

    /// The attributes behind a fixed header of `header_size` bytes (rtmsg, ifinfomsg, ...).
    attribute_cursor attributes(std::size_t header_size) const;
    /// The error that an NLMSG_ERROR or NLMSG_DONE message tells: an errno value, 0 for success.
    int error() const;
};

/// Walks over the messages of one datagram, or of several put together; the same promises as
/// attribute_cursor's.
class message_cursor {
public:
    explicit message_cursor(std::span<std::byte const> bytes) : rest_(bytes) {}

    std::optional<netlink_message> next();
    bool damaged() const { return damaged_; }

private:
    std::span<std::byte const> rest_;
    bool damaged_ = false;
};

/// A request under construction; no allocation. The largest that is sent here takes 60 bytes.
class netlink_request {
public:
    /// NLM_F_REQUEST is always set; `flags` adds NLM_F_DUMP and others.
    explicit netlink_request(std::uint16_t type, std::uint16_t flags = 0);

    template <class T>
        requires std::is_trivially_copyable_v<T>
    netlink_request& header(T const& value) {
        append(std::as_bytes(std::span(&value, 1)));
        return *this;
    }
    template <class T>
        requires std::is_trivially_copyable_v<T>
    netlink_request& attribute(std::uint16_t type, T const& value) {
        return attribute_bytes(type, std::as_bytes(std::span(&value, 1)));
    }
    netlink_request& attribute_bytes(std::uint16_t type, std::span<std::byte const> value);

    void sequence(std::uint32_t number);
    std::span<std::byte const> bytes() const { return std::span(buffer_).first(size_); }

private:
    void append(std::span<std::byte const> bytes);

    std::array<std::byte, 256> buffer_{};
    std::size_t size_ = 0;
};

}  // namespace sonde::inline v0::detail
