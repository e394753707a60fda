#pragma once

#include <sonde/error.hpp>
#include <sonde/link/frame.hpp>
#include <sonde/packet/packet.hpp>

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <ranges>
#include <string>

namespace sonde {

/// Writes a pcap file with nanoseconds, little-endian (draft-ietf-opsawg-pcap), which libpcap 1.5 and newer
/// reads.
///
/// A file holds frames of one link type, that of the first. Records gather in a buffer of 64 KiB: at most
/// these are lost when the program is killed. A write that fails (ENOSPC) leaves a file at a whole record, as
/// it was before, and keeps what was not written for the next flush; in a pipe it may leave a part.
///
/// Threads: distinct objects: safe. Writing blocks.
class capture_writer {
public:
    /// Makes the file, or empties it. Throws system_error with the system's own code.
    explicit capture_writer(std::string path);
    /// Writes to an open stream (stdout), which is borrowed and made unbuffered. `name` stands in errors.
    capture_writer(std::FILE* stream, std::string name);

    capture_writer(capture_writer&&) noexcept;
    capture_writer& operator=(capture_writer&&) noexcept;
    /// As `close`, but says nothing when that fails.
    ~capture_writer();

    /// Adds a frame as it is. Throws, and adds nothing: unsupported_link_type when the file holds another
    /// type; value_out_of_range over 256 KiB, or for a time that pcap cannot say (before 1970 or after 2106).
    /// Throws system_error when the buffer was full and could not be written.
    void append(frame const& f);

    /// Adds a packet as `build` makes it; of a set, every packet. `time` is written as it is, and what a
    /// capture had cut off is counted in the length on the wire.
    ///
    /// The link type is that of the outermost layer: Ethernet; raw IP, v4 and v6 in one file; BSD loopback;
    /// Linux cooked. A Raw packet takes the file's, in a file's first place Ethernet, as with Scapy. Throws
    /// as above, and unsupported_link_type for a packet that begins with any other layer, and as `build`.
    void append(packet const& p);

    /// Writes what is in the buffer. Throws system_error with the system's own code.
    void flush();
    /// Writes the header of a file without frames (as Ethernet), flushes and closes. Throws as `flush`, with
    /// the file closed. Appending after it throws.
    void close();

    /// Frames appended.
    std::uint64_t frames() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Writes packets to a new pcap file and returns how many frames that was. Throws as capture_writer, and what
/// the range throws; what came before is then in the file.
template <std::ranges::input_range R>
    requires std::convertible_to<std::ranges::range_reference_t<R>, packet>
std::uint64_t write_pcap(std::string path, R&& packets) {
    capture_writer writer(std::move(path));
    for (auto&& p : packets) writer.append(packet(std::forward<decltype(p)>(p)));
    writer.close();
    return writer.frames();
}

/// The same of one packet, or of every packet of a set.
std::uint64_t write_pcap(std::string path, packet const& set);

}  // namespace sonde
