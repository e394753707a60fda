#include "net/nft_guard.hpp"

#include "net/netlink_socket.hpp"
#include "net/nft_message.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <optional>

#ifndef NFT_TABLE_F_OWNER  // Linux 5.12
#define NFT_TABLE_F_OWNER 0x2
#endif

namespace sonde::inline v0::detail {
namespace {

constexpr char const* chain = "output";
constexpr std::uint8_t flags_seen = 0x17, reset = 0x04;  // of FIN, SYN, RST and ACK, RST alone

template <class T>
void constant(nft_batch& b, std::uint16_t type, T const& value) {
    b.nest(type, [&] { b.bytes(NFTA_DATA_VALUE, std::as_bytes(std::span(&value, 1))); });
}

void load_meta(nft_batch& b, std::uint32_t key) {
    b.expression("meta", [&] { b.number(NFTA_META_KEY, key).number(NFTA_META_DREG, NFT_REG_1); });
}

void load_tcp(nft_batch& b, std::uint32_t offset, std::uint32_t size) {
    b.expression("payload", [&] {
        b.number(NFTA_PAYLOAD_DREG, NFT_REG_1)
            .number(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER)
            .number(NFTA_PAYLOAD_OFFSET, offset)
            .number(NFTA_PAYLOAD_LEN, size);
    });
}

template <class T>
void compare(nft_batch& b, nft_cmp_ops how, T const& value) {
    b.expression("cmp", [&] {
        b.number(NFTA_CMP_SREG, NFT_REG_1).number(NFTA_CMP_OP, how);
        constant(b, NFTA_CMP_DATA, value);
    });
}

void verdict(nft_batch& b, std::uint32_t code) {
    b.expression("immediate", [&] {
        b.number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        b.nest(NFTA_IMMEDIATE_DATA,
               [&] { b.nest(NFTA_DATA_VERDICT, [&] { b.number(NFTA_VERDICT_CODE, code); }); });
    });
}

void add_table(nft_batch& b, std::string const& table) {
    b.message(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
    b.text(NFTA_TABLE_NAME, table).number(NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
    b.message(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    b.text(NFTA_CHAIN_TABLE, table).text(NFTA_CHAIN_NAME, chain);
    b.nest(NFTA_CHAIN_HOOK,
           [&] { b.number(NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT).number(NFTA_HOOK_PRIORITY, 0); });
    b.number(NFTA_CHAIN_POLICY, NF_ACCEPT).text(NFTA_CHAIN_TYPE, "filter");
}

template <class Expressions>
std::uint32_t add_rule(nft_batch& b, std::string const& table, Expressions expressions) {
    auto sequence = b.message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK);
    b.text(NFTA_RULE_TABLE, table).text(NFTA_RULE_CHAIN, chain);
    b.nest(NFTA_RULE_EXPRESSIONS, expressions);
    return sequence;
}

/// Gives the number of the message whose acknowledgement ends it.
std::uint32_t compose(nft_batch& b, std::string const& table, port_range ports) {
    add_table(b, table);
    // What a socket of some process sends has an owner; resets to unknown segments have none.
    add_rule(b, table, [&] { load_meta(b, NFT_META_SKUID), verdict(b, NF_ACCEPT); });
    return add_rule(b, table, [&] {
        load_meta(b, NFT_META_L4PROTO), compare(b, NFT_CMP_EQ, std::uint8_t{IPPROTO_TCP});
        load_tcp(b, 13, 1);
        b.expression("bitwise", [&] {
            b.number(NFTA_BITWISE_SREG, NFT_REG_1).number(NFTA_BITWISE_DREG, NFT_REG_1);
            b.number(NFTA_BITWISE_LEN, 1);
            constant(b, NFTA_BITWISE_MASK, flags_seen);
            constant(b, NFTA_BITWISE_XOR, std::uint8_t{0});
        });
        compare(b, NFT_CMP_EQ, reset);
        load_tcp(b, 0, 2);
        compare(b, NFT_CMP_GTE, htons(ports.first)), compare(b, NFT_CMP_LTE, htons(ports.last));
        verdict(b, NF_DROP);
    });
}

/// The kernel's answers are there when `send` returns. 0, or an errno value; nothing when they do not say.
std::optional<int> outcome(int fd, std::uint32_t last) {
    std::array<std::byte, 8192> buffer;
    for (error_code ec;;) {
        message_cursor answers(receive_from_kernel(fd, buffer, ec));
        if (ec) return {};
        while (auto m = answers.next())
            if (m->type == NLMSG_ERROR && (m->error() || m->sequence == last)) return m->error();
    }
}

class owned_table final : public held_resets {
public:
    explicit owned_table(owned_fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
    /// By request: a child that was forked meanwhile may hold the socket too.
    ~owned_table() override {
        nft_batch b;
        b.message(NFT_MSG_DELTABLE, 0);
        b.text(NFTA_TABLE_NAME, name_);
        auto bytes = b.finish();
        ::send(fd_.get(), bytes.data(), bytes.size(), 0);
    }

private:
    owned_fd fd_;
    std::string name_;
};

std::string reason(int error) {
    if (error == EPERM || error == EACCES)
        return "the reset guard needs CAP_NET_ADMIN in this network namespace";
    if (error == EOPNOTSUPP || error == EPROTONOSUPPORT || error == EAFNOSUPPORT || error == ENOENT)
        return "the reset guard needs nf_tables for inet, with tables that have an owner (Linux 5.12)";
    return "the reset guard's request to nf_tables";
}

}  // namespace

std::unique_ptr<held_resets> hold_resets(port_range ports, error_code& ec, std::string& about) {
    auto failed = [&](int error) {
        about = reason(error);
        ec = error_code(error, boost::system::system_category());
        return nullptr;
    };
    owned_fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
    if (!fd.valid()) return failed(errno);
    std::uint64_t tag = 0;
    if (::getrandom(&tag, sizeof tag, 0) < 0) return failed(errno);
    auto name = fmt::format("sonde-guard-{:016x}", tag);
    nft_batch batch;
    auto last = compose(batch, name, ports);
    auto bytes = batch.finish();
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::sendto(fd.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&kernel),
                 sizeof kernel) < 0)
        return failed(errno);
    if (auto error = outcome(fd.get(), last).value_or(EPROTO)) return failed(error);
    return std::make_unique<owned_table>(std::move(fd), std::move(name));
}

}  // namespace sonde::inline v0::detail
