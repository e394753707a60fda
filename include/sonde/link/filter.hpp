#pragma once

#include <sonde/error.hpp>
#include <sonde/packet/link_type.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// One instruction of classic BPF, laid out as the kernel's `struct sock_filter` (linux/filter.h).
struct bpf_instruction {
    std::uint16_t code = 0;  ///< the operation: BPF_LD | BPF_H | BPF_ABS … (linux/filter.h)
    std::uint8_t jt = 0;     ///< instructions to skip when the test holds
    std::uint8_t jf = 0;     ///< and when it does not
    std::uint32_t k = 0;     ///< its operand: a constant, an offset …
};

/// A compiled capture filter, in the language of pcap-filter(7). A value: copying copies a few hundred bytes.
///
/// A filter sheds load, it decides nothing: a frame that was queued before the filter, or that the kernel
/// lets through for reasons of its own, may still arrive, and whoever matches answers must look at the frame
/// itself.
///
/// Threads: distinct objects are independent; `matches` and the other const members may be called at once.
class capture_filter {
public:
    /// The longest text that is compiled, in bytes.
    static constexpr std::size_t longest_text = 4096;
    /// Bytes of a frame that an accepting program keeps: what tcpdump takes, more than any frame is long.
    static constexpr unsigned whole_frame = 262144;

    /// Accepts every frame, by no program at all.
    capture_filter() = default;

    /// Compiles `text` for frames that begin as `type` says.
    ///
    /// The text goes to libpcap as it is. Never build it by joining pieces that others wrote: `a) or (b` is
    /// valid inside parentheses. A host name in it (`host example.com`) is looked up at once, which blocks
    /// and sends DNS queries; filters made by programs should hold addresses.
    ///
    /// Errors: bad_filter, with libpcap's message in the text of what is thrown (or in `why`), when the
    /// text does not compile, is longer than `longest_text`, holds a NUL byte, or makes a loop
    /// (`protochain`). Cost: far below a millisecond for a line, but it grows with the square of the text, to
    /// seconds for 4 KiB of alternatives: compile such ones before the event loop runs, or on another thread.
    /// `snapshot`: bytes that an accepting program keeps. With `ec` set the second form returns an empty
    /// filter, which accepts everything.
    /// @{
    static capture_filter compile(std::string_view text, link_type type, unsigned snapshot = whole_frame);
    static capture_filter compile(std::string_view text, link_type type, unsigned snapshot, error_code& ec,
                                  std::string* why = nullptr);
    /// @}

    /// Rejects every frame: for a socket that only sends.
    static capture_filter accept_none();

    /// True when there is no program, so that nothing need be attached.
    bool empty() const noexcept { return program_.empty(); }

    /// Runs the program over the captured bytes of a frame that was `length` bytes long on the wire.
    bool matches(std::span<std::byte const> captured, std::size_t length) const noexcept;

    /// What SO_ATTACH_FILTER takes (socket(7)). Empty when `empty()`.
    std::span<bpf_instruction const> program() const noexcept { return program_; }

    /// What it was compiled from.
    std::string const& text() const noexcept { return text_; }

    /// True when the text names `vlan`. The kernel takes the VLAN tag out of a frame before it runs a
    /// socket's filter, so this program would look for the tag in vain there: `packet_socket` runs it in user
    /// space instead, on the frame with its tag put back.
    bool reads_vlan_tag() const noexcept { return reads_vlan_tag_; }

private:
    std::vector<bpf_instruction> program_;
    std::string text_;
    bool reads_vlan_tag_ = false;
};

SONDE_NAMESPACE_END
