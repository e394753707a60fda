#include "net/netlink_message.hpp"

#include <linux/netlink.h>

#include <algorithm>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t aligned(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}

/// Cuts `taken` bytes and their padding off; the padding of the last element may be missing.
void skip(std::span<std::byte const>& rest, std::size_t taken) {
    rest = rest.subspan(std::min(aligned(taken), rest.size()));
}

}  // namespace

std::optional<netlink_attribute> attribute_cursor::next() {
    if (rest_.empty()) return {};
    auto head = read_as<nlattr>(rest_);
    if (!head || head->nla_len < sizeof(nlattr) || head->nla_len > rest_.size()) {
        damaged_ = true;
        rest_ = {};
        return {};
    }
    netlink_attribute found{static_cast<std::uint16_t>(head->nla_type & NLA_TYPE_MASK),
                            rest_.subspan(sizeof(nlattr), head->nla_len - sizeof(nlattr))};
    skip(rest_, head->nla_len);
    return found;
}

attribute_cursor netlink_message::attributes(std::size_t header_size) const {
    return attribute_cursor(body.subspan(std::min(aligned(header_size), body.size())));
}

int netlink_message::error() const {
    auto code = read_as<std::int32_t>(body).value_or(0);
    return code < 0 && code > -4096 ? -code : 0;
}

std::optional<netlink_message> message_cursor::next() {
    if (rest_.empty()) return {};
    auto head = read_as<nlmsghdr>(rest_);
    if (!head || head->nlmsg_len < sizeof(nlmsghdr) || head->nlmsg_len > rest_.size()) {
        damaged_ = true;
        rest_ = {};
        return {};
    }
    netlink_message found{head->nlmsg_type, head->nlmsg_flags, head->nlmsg_seq,
                          rest_.subspan(sizeof(nlmsghdr), head->nlmsg_len - sizeof(nlmsghdr))};
    skip(rest_, head->nlmsg_len);
    return found;
}

netlink_request::netlink_request(std::uint16_t type, std::uint16_t flags) {
    nlmsghdr head{};
    head.nlmsg_type = type;
    head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header(head);
}

netlink_request& netlink_request::attribute_bytes(std::uint16_t type, std::span<std::byte const> value) {
    nlattr head{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
    append(std::as_bytes(std::span(&head, 1)));
    append(value);
    return *this;
}

void netlink_request::sequence(std::uint32_t number) {
    std::memcpy(buffer_.data() + offsetof(nlmsghdr, nlmsg_seq), &number, sizeof(number));
}

void netlink_request::append(std::span<std::byte const> bytes) {
    auto end = aligned(size_) + bytes.size();
    if (aligned(end) > buffer_.size())
        throw_error(errc::value_out_of_range, "a netlink request of more than 256 bytes");
    std::copy(bytes.begin(), bytes.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(aligned(size_)));
    size_ = aligned(end);
    auto length = static_cast<std::uint32_t>(size_);
    std::memcpy(buffer_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof(length));
}

}  // namespace sonde::inline v0::detail
