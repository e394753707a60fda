#include "net/nft_message.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <cstring>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t aligned(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}
template <class T>
std::span<std::byte const> raw(T const& value) {
    return std::as_bytes(std::span(&value, 1));
}

}  // namespace

nft_batch::nft_batch() {
    static_assert(NFTA_EXPR_DATA == expression_data);
    begin(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

void nft_batch::append(std::span<std::byte const> value) {
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    bytes_.resize(aligned(bytes_.size()));
}

void nft_batch::begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint16_t resource) {
    end_message();
    message_ = bytes_.size();
    nlmsghdr head{};
    head.nlmsg_type = type;
    head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    head.nlmsg_seq = ++sequence_;
    append(raw(head));
    append(raw(nfgenmsg{family, NFNETLINK_V0, htons(resource)}));
}

void nft_batch::end_message() {
    if (bytes_.empty()) return;
    auto length = static_cast<std::uint32_t>(bytes_.size() - message_);
    std::memcpy(bytes_.data() + message_ + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
}

std::uint32_t nft_batch::message(std::uint16_t type, std::uint16_t flags) {
    begin(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
    return sequence_;
}

nft_batch& nft_batch::bytes(std::uint16_t type, std::span<std::byte const> value) {
    append(raw(nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type}));
    append(value);
    return *this;
}

nft_batch& nft_batch::text(std::uint16_t type, std::string_view value) {
    std::vector<std::byte> with_end(value.size() + 1);
    std::memcpy(with_end.data(), value.data(), value.size());
    return bytes(type, with_end);
}

nft_batch& nft_batch::number(std::uint16_t type, std::uint32_t value) {
    return bytes(type, raw(htonl(value)));
}

std::size_t nft_batch::open(std::uint16_t type) {
    auto at = bytes_.size();
    append(raw(nlattr{0, static_cast<std::uint16_t>(type | NLA_F_NESTED)}));
    return at;
}

std::size_t nft_batch::open_expression(std::string_view name) {
    auto at = open(NFTA_LIST_ELEM);
    text(NFTA_EXPR_NAME, name);
    return at;
}

void nft_batch::close(std::size_t at) {
    auto length = static_cast<std::uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at + offsetof(nlattr, nla_len), &length, sizeof length);
}

std::span<std::byte const> nft_batch::finish() {
    begin(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    end_message();
    return bytes_;
}

}  // namespace sonde::inline v0::detail
