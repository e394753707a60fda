#include "link/xdp/program.hpp"

#include "link/xdp/headers.hpp"

#include <linux/if_link.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstring>

namespace sonde::inline v0::detail {
namespace {

// The kernel compares the octets of the attributes that it does not know with 0.
template <class Fill>
int bpf(int command, Fill fill) noexcept {
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);
    fill(attributes);
    return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

std::uint64_t address_of(void const* p) noexcept {
    return reinterpret_cast<std::uintptr_t>(p);
}

unique_fd make_map(bpf_map_type type, unsigned value_size, unsigned entries, unsigned flags) noexcept {
    return unique_fd(bpf(BPF_MAP_CREATE, [&](bpf_attr& a) {
        a.map_type = type;
        a.key_size = 4;
        a.value_size = value_size;
        a.max_entries = entries;
        a.map_flags = flags;
    }));
}

failure bpf_failure(std::string const& place, char const* step) {
    int const error = errno;
    failure f{link_error(error), place + ": " + step};
    if (f.code == errc::permission)
        f.why += " (BPF needs CAP_NET_ADMIN and CAP_BPF of the initial user namespace)";
    if (error == EOPNOTSUPP || error == ENOSYS)
        f = {asio::error::operation_not_supported, f.why + " (the kernel or this interface has no such XDP)"};
    if (error == EBUSY || error == EEXIST)
        f = {error_code(EBUSY, boost::system::system_category()),
             f.why + " (another XDP program is attached, see \"ip link\")"};
    return f;
}

int attach_link(int program, int interface, unsigned mode) noexcept {
    return bpf(BPF_LINK_CREATE, [&](bpf_attr& a) {
        a.link_create.prog_fd = static_cast<__u32>(program);
        a.link_create.target_ifindex = static_cast<__u32>(interface);
        a.link_create.attach_type = BPF_XDP;
        a.link_create.flags = mode;
    });
}

std::size_t mapped_size() noexcept {
    auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (sizeof(xdp_expected) + page - 1) / page * page;
}

}  // namespace

xdp_program::~xdp_program() {
    if (expected_) ::munmap(expected_, mapped_size());
}

std::optional<failure> xdp_program::load(xdp_take take, mac const& own, unsigned longest, unsigned queues,
                                         std::string const& place) {
    socket_map_ = make_map(BPF_MAP_TYPE_XSKMAP, 4, queues, 0);
    if (!socket_map_) return bpf_failure(place, "BPF_MAP_TYPE_XSKMAP");
    std::vector<bpf_insn> code;
    if (take == xdp_take::everything) {
        code = take_everything(socket_map_.get(), longest);
    } else {
        expected_map_ = make_map(BPF_MAP_TYPE_ARRAY, sizeof(xdp_expected), 1, BPF_F_MMAPABLE);
        if (!expected_map_) return bpf_failure(place, "BPF_MAP_TYPE_ARRAY");
        void* at = ::mmap(nullptr, mapped_size(), PROT_READ | PROT_WRITE, MAP_SHARED, expected_map_.get(), 0);
        if (at == MAP_FAILED) return system_failure(place, "mmap of a BPF map");
        expected_ = static_cast<xdp_expected*>(at);
        code = take_answers(expected_map_.get(), socket_map_.get(), own, longest);
    }
    program_ = unique_fd(bpf(BPF_PROG_LOAD, [&](bpf_attr& a) {
        a.prog_type = BPF_PROG_TYPE_XDP;
        a.expected_attach_type = BPF_XDP;
        a.insn_cnt = static_cast<__u32>(code.size());
        a.insns = address_of(code.data());
        a.license = address_of("BSL-1.0");
        std::strncpy(a.prog_name, "sonde", sizeof a.prog_name - 1);
    }));
    if (!program_) return bpf_failure(place, "BPF_PROG_LOAD");
    return {};
}

std::optional<failure> xdp_program::serve(unsigned queue, int socket, std::string const& place) {
    int failed = bpf(BPF_MAP_UPDATE_ELEM, [&](bpf_attr& a) {
        a.map_fd = static_cast<__u32>(socket_map_.get());
        a.key = address_of(&queue);
        a.value = address_of(&socket);
    });
    if (failed) return bpf_failure(place, "BPF_MAP_UPDATE_ELEM");
    return {};
}

std::optional<failure> xdp_program::attach(int interface, std::string const& place) {
    link_ = unique_fd(attach_link(program_.get(), interface, XDP_FLAGS_DRV_MODE));
    native_ = bool(link_);
    // EINVAL and ERANGE: a driver that could, but not with this MTU or these features.
    if (!link_ && (errno == EOPNOTSUPP || errno == EINVAL || errno == ERANGE))
        link_ = unique_fd(attach_link(program_.get(), interface, XDP_FLAGS_SKB_MODE));
    if (!link_) return bpf_failure(place, "BPF_LINK_CREATE");
    return {};
}

void xdp_program::expect_answers(std::span<std::byte const> bytes) noexcept {
    if (!expected_) return;
    auto h = transport_headers::of(bytes);
    if (!h || h->ports + 4 > bytes.size()) return;
    std::uint64_t from[2] = {xdp_expected::v4, 0};
    std::memcpy(h->v6 ? &from[0] : &from[1], bytes.data() + h->addresses, h->v6 ? 16 : 4);
    expect(h->is_tcp ? xdp_expected::tcp : xdp_expected::udp, bytes.data() + h->ports, from);
}

void xdp_program::expect(std::uint8_t protocol, std::byte const* port,
                         std::uint64_t const (&from)[2]) noexcept {
    auto number = std::to_integer<unsigned>(port[0]) << 8 | std::to_integer<unsigned>(port[1]);
    auto& protocols = expected_->ports[number];
    if (!(protocols & protocol)) std::atomic_ref(protocols).fetch_or(protocol, std::memory_order_relaxed);
    auto is = [&](std::size_t i) {
        return expected_->addresses[i][0] == from[0] && expected_->addresses[i][1] == from[1];
    };
    if (latest_ < addresses_ && is(latest_)) return;
    for (latest_ = 0; latest_ < addresses_; ++latest_)
        if (is(latest_)) return;
    if (addresses_ == xdp_expected::most_addresses) return;
    // The program may see one half before the other: no address has a second half without its first.
    auto& to = expected_->addresses[addresses_++];
    std::atomic_ref(to[1]).store(from[1], std::memory_order_relaxed);
    std::atomic_ref(to[0]).store(from[0], std::memory_order_release);
}

}  // namespace sonde::inline v0::detail
