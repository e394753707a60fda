#include "link/xdp/program.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include <cstring>
#include <initializer_list>

// The program, put together by hand: eighty instructions for each IP version, and so no compiler for BPF, no
// object file and no loader's library are needed.
namespace sonde::inline v0::detail {
namespace {

enum reg : std::uint8_t { r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10 };
enum size : std::uint8_t { u8 = BPF_B, u16 = BPF_H, u32 = BPF_W, u64 = BPF_DW };

/// Instructions and jumps to what comes later.
class assembler {
public:
    using label = std::vector<std::size_t>;  // the jumps that lead there

    void emit(int code, reg to, reg from, std::ptrdiff_t offset, std::int32_t value) {
        bpf_insn i{};
        i.code = static_cast<std::uint8_t>(code);
        i.dst_reg = to & 0xf;
        i.src_reg = from & 0xf;
        i.off = static_cast<std::int16_t>(offset);
        i.imm = value;
        code_.push_back(i);
    }
    void load(size s, reg to, reg from, std::size_t offset) {
        emit(BPF_LDX | BPF_MEM | s, to, from, static_cast<std::ptrdiff_t>(offset), 0);
    }
    void load_stack(reg to, int offset) { emit(BPF_LDX | BPF_MEM | u64, to, r10, offset, 0); }
    void store_stack(int offset, reg from) { emit(BPF_STX | BPF_MEM | u64, r10, from, offset, 0); }
    void store_stack(size s, int offset, std::int32_t value) {
        emit(BPF_ST | BPF_MEM | s, r10, r0, offset, value);
    }
    void set(reg to, reg from) { emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
    void set(reg to, std::int32_t value) { emit(BPF_ALU64 | BPF_MOV | BPF_K, to, r0, 0, value); }
    void add(reg to, reg what) { emit(BPF_ALU64 | BPF_ADD | BPF_X, to, what, 0, 0); }
    void add(reg to, std::size_t value) {
        emit(BPF_ALU64 | BPF_ADD | BPF_K, to, r0, 0, static_cast<std::int32_t>(value));
    }
    void mask(reg to, std::int32_t value) { emit(BPF_ALU64 | BPF_AND | BPF_K, to, r0, 0, value); }
    void mask(reg to, reg with) { emit(BPF_ALU64 | BPF_AND | BPF_X, to, with, 0, 0); }
    void to_host_u16(reg r) { emit(BPF_ALU | BPF_END | BPF_TO_BE, r, r0, 0, 16); }
    /// The lower halves are compared.
    void jump_if(int test, reg a, std::uint32_t b, label& to) {
        to.push_back(code_.size());
        emit(BPF_JMP32 | test | BPF_K, a, r0, 0, static_cast<std::int32_t>(b));
    }
    void jump_if(int test, reg a, reg b, label& to) {
        to.push_back(code_.size());
        emit(BPF_JMP | test | BPF_X, a, b, 0, 0);
    }
    void jump_if_null(reg a, label& to) {
        to.push_back(code_.size());
        emit(BPF_JMP | BPF_JEQ | BPF_K, a, r0, 0, 0);
    }
    void jump(label& to) {
        to.push_back(code_.size());
        emit(BPF_JMP | BPF_JA, r0, r0, 0, 0);
    }
    void set_map(reg to, int fd) {
        emit(BPF_LD | BPF_IMM | BPF_DW, to, static_cast<reg>(BPF_PSEUDO_MAP_FD), 0, fd);
        emit(0, r0, r0, 0, 0);
    }
    void call(std::int32_t helper) { emit(BPF_JMP | BPF_CALL, r0, r0, 0, helper); }
    void exit() { emit(BPF_JMP | BPF_EXIT, r0, r0, 0, 0); }
    /// The jumps to it come here.
    void here(label const& l) {
        for (auto at : l) code_[at].off = static_cast<std::int16_t>(code_.size() - at - 1);
    }

    std::vector<bpf_insn> finish() && { return std::move(code_); }

private:
    std::vector<bpf_insn> code_;
};

using label = assembler::label;

// Registers that keep their meaning: the frame's context, begin and end; which protocol it is.
constexpr reg context = r6, frame = r7, frame_end = r8, protocol = r9;
// On the stack: the frame's destination, and a map's key.
constexpr int address_high = -16, address_low = -8, map_key = -20;
constexpr std::int32_t this_netns = BPF_F_CURRENT_NETNS;

/// Where things are in a frame without VLAN tags, options or extension headers.
struct offsets {
    std::size_t protocol, addresses, address_size, ports;

    std::size_t destination() const { return addresses + address_size; }
    /// Addresses and ports, which a socket is looked up by, follow one another (bpf_sock_tuple).
    std::size_t tuple_size() const { return 2 * address_size + 4; }
};
constexpr offsets ip4{.protocol = 23, .addresses = 26, .address_size = 4, .ports = 34};
constexpr offsets ip6{.protocol = 20, .addresses = 22, .address_size = 16, .ports = 54};

void begin(assembler& a) {
    a.set(context, r1);
    a.load(u32, frame, context, offsetof(xdp_md, data));
    a.load(u32, frame_end, context, offsetof(xdp_md, data_end));
}

/// The frame goes on unless there are so many octets of it.
void need(assembler& a, std::size_t octets, label& pass) {
    a.set(r2, frame);
    a.add(r2, octets);
    a.jump_if(BPF_JGT, r2, frame_end, pass);
}

void at_most(assembler& a, unsigned octets, label& pass) {
    a.set(r2, frame);
    a.add(r2, octets);
    a.jump_if(BPF_JLT, r2, frame_end, pass);
}

void take_or_pass(assembler& a, int sockets, label const& pass) {
    a.load(u32, r2, context, offsetof(xdp_md, rx_queue_index));
    a.set_map(r1, sockets);
    a.set(r3, XDP_PASS);  // where the queue has no socket
    a.call(BPF_FUNC_redirect_map);
    a.exit();
    a.here(pass);
    a.set(r0, XDP_PASS);
    a.exit();
}

/// Leaves which protocol it is.
void only_answers(assembler& a, offsets const& at, label& pass) {
    constexpr std::uint32_t syn = 2, rst = 4, ack = 16;
    label is_tcp, is_answer, known;
    a.load(u8, r2, frame, at.protocol);
    a.jump_if(BPF_JEQ, r2, IPPROTO_TCP, is_tcp);
    a.jump_if(BPF_JNE, r2, IPPROTO_UDP, pass);
    a.set(protocol, xdp_expected::udp);
    a.jump(known);
    a.here(is_tcp);
    need(a, at.ports + 14, pass);
    a.load(u8, r2, frame, at.ports + 13);
    a.mask(r2, syn | rst | ack);
    a.jump_if(BPF_JSET, r2, rst, is_answer);
    a.jump_if(BPF_JNE, r2, syn | ack, pass);
    a.here(is_answer);
    a.set(protocol, xdp_expected::tcp);
    a.here(known);
}

void only_expected(assembler& a, offsets const& at, int expected, label& pass) {
    label known;
    if (at.address_size == 4) {
        a.load(u32, r2, frame, at.destination());
        a.store_stack(u64, address_high, -1);
        static_assert(xdp_expected::v4 == ~std::uint64_t(0));
    } else {
        a.load(u64, r2, frame, at.destination());
        a.store_stack(address_high, r2);
        a.load(u64, r2, frame, at.destination() + 8);
    }
    a.store_stack(address_low, r2);
    a.store_stack(u32, map_key, 0);
    a.set_map(r1, expected);
    a.set(r2, r10);
    a.emit(BPF_ALU64 | BPF_ADD | BPF_K, r2, r0, 0, map_key);
    a.call(BPF_FUNC_map_lookup_elem);
    a.jump_if_null(r0, pass);
    a.load(u16, r2, frame, at.ports + 2);
    a.to_host_u16(r2);
    a.add(r2, r0);
    a.load(u8, r3, r2, offsetof(xdp_expected, ports));
    a.mask(r3, protocol);
    a.jump_if(BPF_JEQ, r3, 0, pass);
    a.load_stack(r4, address_high);
    a.load_stack(r5, address_low);
    for (std::size_t i = 0; i < xdp_expected::most_addresses; ++i) {
        label next;
        a.load(u64, r2, r0, i * sizeof(xdp_expected::address));
        a.jump_if(BPF_JNE, r2, r4, next);
        a.load(u64, r2, r0, i * sizeof(xdp_expected::address) + 8);
        a.jump_if(BPF_JEQ, r2, r5, known);
        a.here(next);
    }
    a.jump(pass);
    a.here(known);
}

/// What a socket of the host waits for is its own, whoever has sent from that port too.
void only_without_socket(assembler& a, offsets const& at, label& take, label& pass) {
    label udp, found;
    a.set(r1, context);
    a.set(r2, frame);
    a.add(r2, at.addresses);
    a.set(r3, static_cast<std::int32_t>(at.tuple_size()));
    a.set(r4, this_netns);
    a.set(r5, 0);
    a.jump_if(BPF_JEQ, protocol, xdp_expected::udp, udp);
    a.call(BPF_FUNC_skc_lookup_tcp);
    a.jump_if_null(r0, take);
    a.jump(found);
    a.here(udp);
    a.call(BPF_FUNC_sk_lookup_udp);
    a.jump_if_null(r0, take);
    a.here(found);
    a.set(r1, r0);
    a.call(BPF_FUNC_sk_release);
    a.jump(pass);
}

std::uint16_t u16_at(mac const& m, std::size_t i) {
    std::uint16_t value;
    std::memcpy(&value, m.octets.data() + i, sizeof value);
    return value;
}

std::uint32_t u32_at(mac const& m) {
    std::uint32_t value;
    std::memcpy(&value, m.octets.data(), sizeof value);
    return value;
}

}  // namespace

std::vector<bpf_insn> take_answers(int expected, int sockets, mac const& own, unsigned longest) {
    constexpr std::size_t udp_header = 8;
    assembler a;
    label pass, take, is_ip4;
    begin(a);
    need(a, ip4.ports + udp_header, pass);
    at_most(a, longest, pass);
    a.load(u32, r2, frame, 0);
    a.jump_if(BPF_JNE, r2, u32_at(own), pass);
    a.load(u16, r2, frame, 4);
    a.jump_if(BPF_JNE, r2, u16_at(own, 4), pass);
    a.load(u16, r2, frame, 12);
    a.jump_if(BPF_JEQ, r2, htons(ETH_P_IP), is_ip4);
    a.jump_if(BPF_JNE, r2, htons(ETH_P_IPV6), pass);
    need(a, ip6.ports + udp_header, pass);
    only_answers(a, ip6, pass);
    only_expected(a, ip6, expected, pass);
    only_without_socket(a, ip6, take, pass);
    a.here(is_ip4);
    a.load(u8, r2, frame, 14);
    a.jump_if(BPF_JNE, r2, 0x45, pass);  // options
    a.load(u16, r2, frame, 20);
    a.jump_if(BPF_JSET, r2, htons(0x3fff), pass);  // fragments
    only_answers(a, ip4, pass);
    only_expected(a, ip4, expected, pass);
    only_without_socket(a, ip4, take, pass);
    a.here(take);
    take_or_pass(a, sockets, pass);
    return std::move(a).finish();
}

std::vector<bpf_insn> take_everything(int sockets, unsigned longest) {
    assembler a;
    label pass;
    begin(a);
    at_most(a, longest, pass);
    take_or_pass(a, sockets, pass);
    return std::move(a).finish();
}

}  // namespace sonde::inline v0::detail
