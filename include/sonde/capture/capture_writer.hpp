#pragma once

#include <sonde/error.hpp>
#include <sonde/link/frame.hpp>
#include <sonde/packet/packet.hpp>

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>

SONDE_NAMESPACE_BEGIN

/// The format of a capture file.
enum class capture_format : std::uint8_t {
    by_name,  ///< pcapng when the name ends in .pcapng, else pcap; of an existing file, its own
    pcap,     ///< draft-ietf-opsawg-pcap, with nanoseconds, little-endian: frames of one link type
    pcapng,   ///< draft-ietf-opsawg-pcapng: frames of any link types and interfaces, and comments
};

/// How to write a capture file.
struct capture_options {
    bool append = false;  ///< go on behind the last record of the file that is there
    capture_format format = capture_format::by_name;  ///< of a new file; one that holds records keeps its own
    /// In pcapng: the name of what has this number in `frame::interface`, "eth0"; empty: none. Asked for once
    /// for each that is not 0.
    std::function<std::string(int)> interface_name{};
};

/// Writes a capture file that libpcap 1.5 and newer, tcpdump and Wireshark read.
///
/// A pcap file holds frames of one link type, that of the first; a pcapng file any. Records gather in a
/// buffer of 64 KiB: at most these are lost when the program is killed, and the last one written may be cut.
/// A write that fails (ENOSPC) leaves a file at a whole record, as it was before, and keeps what was not
/// written for the next flush; in a pipe it may leave a part.
///
/// Threads: distinct objects: safe. Writing blocks.
class capture_writer {
public:
    /// Makes the file, or empties it; with `append` keeps what it holds. Throws system_error with the
    /// system's own code. With `append` throws truncated_file or bad_file for a file that does not end at a
    /// whole record, and leaves it as it is; unsupported_link_type for one of a link type that sonde does not
    /// know.
    explicit capture_writer(std::string path, capture_options how = {});
    /// Writes to an open stream (stdout), which is borrowed and made unbuffered. `name` stands in errors, and
    /// says the format where `how` does not.
    capture_writer(std::FILE* stream, std::string name, capture_options how = {});

    /// Assignment closes the file that was written before, as the destructor does. What was moved from can
    /// only be destroyed or assigned to.
    /// @{
    capture_writer(capture_writer&&) noexcept;
    capture_writer& operator=(capture_writer&&) noexcept;
    /// @}
    /// As `close`, but says nothing when that fails.
    ~capture_writer();

    /// Adds a frame as it is, in pcapng with a comment. Throws, and adds nothing: unsupported_link_type when
    /// a pcap file holds another type; value_out_of_range over 256 KiB, for a time that the format cannot say
    /// (before 1970, in pcap after 2106), for a comment in pcap or of over 65,535 bytes. Throws system_error
    /// when the buffer was full and could not be written.
    void append(frame const& f, std::string_view comment = {});

    /// Adds a packet as `build` makes it; of a set, every packet. `time` is written as it is, and what a
    /// capture had cut off is counted in the length on the wire.
    ///
    /// The link type is that of the outermost layer: Ethernet; raw IP, v4 and v6 in one file; BSD loopback;
    /// Linux cooked. A Raw packet takes the file's, in a file's first place Ethernet, as with Scapy. Throws
    /// as above, and unsupported_link_type for a packet that begins with any other layer, and as `build`.
    void append(packet const& p, std::string_view comment = {});

    /// Writes what is in the buffer. Throws system_error with the system's own code.
    void flush();
    /// Writes the header of a file without frames (as Ethernet), flushes and closes. Throws as `flush`, with
    /// the file closed. Appending after it throws.
    void close();

    /// Frames appended.
    std::uint64_t frames() const noexcept;

private:
    struct SONDE_PRIVATE state;
    std::unique_ptr<state> state_;
};

/// Writes packets to a capture file (pcap, or pcapng by its name) and returns how many frames that was.
/// Throws as capture_writer, and what the range throws; what came before is then in the file.
template <std::ranges::input_range R>
    requires std::convertible_to<std::ranges::range_reference_t<R>, packet>
std::uint64_t write_pcap(std::string path, R&& packets, capture_options how = {}) {
    capture_writer writer(std::move(path), how);
    for (auto&& p : packets) writer.append(packet(std::forward<decltype(p)>(p)));
    writer.close();
    return writer.frames();
}

/// The same of a few: `write_pcap("two.pcap", {question, answer})`.
inline std::uint64_t write_pcap(std::string path, std::initializer_list<packet> packets,
                                capture_options how = {}) {
    return write_pcap(std::move(path), std::span(packets.begin(), packets.size()), how);
}

/// The same of one packet, or of every packet of a set.
std::uint64_t write_pcap(std::string path, packet const& set, capture_options how = {});

SONDE_NAMESPACE_END
