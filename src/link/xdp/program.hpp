#pragma once

#include <sonde/link/xdp_socket.hpp>
#include <sonde/packet/address.hpp>

#include "link/system.hpp"

#include <linux/bpf.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sonde::inline v0::detail {

/// What a program takes: written by the process, read by the program as its map, without a system call.
struct xdp_expected {
    static constexpr std::size_t most_addresses = 8;
    static constexpr std::uint8_t tcp = 1, udp = 2;
    using address = std::uint64_t[2];  // as in the packet; an IPv4 address is the second, after `v4`
    static constexpr std::uint64_t v4 = ~std::uint64_t(0);

    address addresses[most_addresses];  // empty ones are 0
    std::uint8_t ports[65536];          // which protocols were sent from there
};

/// Instructions of the program, with descriptors of its two maps in them. Frames longer than `longest` are
/// not taken.
/// @{
std::vector<bpf_insn> take_answers(int expected, int sockets, mac const& own, unsigned longest);
std::vector<bpf_insn> take_everything(int sockets, unsigned longest);
/// @}

/// An XDP program that is attached to an interface as long as this object lives; the kernel takes it away
/// with its last descriptor.
class xdp_program {
public:
    xdp_program() = default;
    ~xdp_program();
    xdp_program(xdp_program const&) = delete;
    xdp_program& operator=(xdp_program const&) = delete;

    /// Makes the maps and loads the program. It takes nothing yet.
    std::optional<failure> load(xdp_take take, mac const& own, unsigned longest, unsigned queues,
                                std::string const& place);
    /// Frames of this receive queue go to that socket.
    std::optional<failure> serve(unsigned queue, int socket, std::string const& place);
    /// From now on it takes frames; native where the driver can.
    std::optional<failure> attach(int interface, std::string const& place);
    bool is_native() const { return native_; }

    /// From now on answers to this frame are taken.
    void expect_answers(std::span<std::byte const> frame) noexcept;

private:
    void expect(std::uint8_t protocol, std::byte const* port, std::uint64_t const (&from)[2]) noexcept;

    unique_fd expected_map_, socket_map_, program_, link_;
    xdp_expected* expected_ = nullptr;  // none when it takes everything
    std::size_t addresses_ = 0;
    std::size_t latest_ = 0;  // of these
    bool native_ = false;
};

}  // namespace sonde::inline v0::detail
