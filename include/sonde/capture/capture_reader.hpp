#pragma once

#include <sonde/error.hpp>
#include <sonde/link/frame.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

SONDE_NAMESPACE_BEGIN

/// Reads the frames of a capture file one by one, in constant memory, from a file or a pipe.
///
/// Formats: pcap with microseconds or nanoseconds in both byte orders (draft-ietf-opsawg-pcap), and pcapng
/// (draft-ietf-opsawg-pcapng) in both byte orders, with any number of sections and interfaces; packets of its
/// enhanced, simple and obsolete packet blocks. Other blocks give no frame. What gzip compressed is expanded,
/// of pipes too.
///
/// Link types: those of `link_type`; also LINKTYPE 12 and 14 (some systems' raw IP) as `raw`, and 108
/// (OpenBSD's loopback) as `null`.
///
/// Limits, so that a damaged or hostile file costs no more than its own size: a frame of 256 KiB, a block of
/// 16 MiB, 65,536 interfaces a section; memory is taken for bytes that were read, never for bytes announced.
///
/// Threads: distinct objects: safe. Reading blocks: use it on files, and on pipes where waiting does no harm.
class capture_reader {
public:
    static constexpr std::size_t largest_frame = std::size_t(256) << 10;  ///< octets
    static constexpr std::size_t largest_block = std::size_t(16) << 20;   ///< octets
    static constexpr std::size_t most_interfaces = std::size_t(1) << 16;  ///< in a section

    /// Opens the file and reads what it begins with. Throws system_error with the system's own code when the
    /// file cannot be opened or read; `error` with truncated_file when it ends before its first record could
    /// begin, with bad_file when it is no capture file of a known version. Each names the path and the
    /// reason.
    explicit capture_reader(std::string const& path);

    /// The same from an open stream (stdin), which is borrowed: it must outlive the reader. `name` stands in
    /// errors.
    capture_reader(std::FILE* stream, std::string name);

    /// The frame that the other one gave last stays good. What was moved from can only be destroyed or
    /// assigned to.
    /// @{
    capture_reader(capture_reader&&) noexcept;
    capture_reader& operator=(capture_reader&&) noexcept;
    /// @}
    ~capture_reader();

    /// The next frame; its bytes are the reader's until the next call. Nothing, and no error, at the end.
    ///
    /// `interface` counts the file's interface descriptions from 1, over all sections; it is 0 in pcap files,
    /// which have none. `time` is 0 in simple packet blocks, and is the nearest that `timestamp` can hold.
    /// `length` is never less than the bytes captured, whatever the file says.
    ///
    /// Errors: `ec` is set and nothing returned;
    ///  - unsupported_link_type: this frame cannot be read; the next call goes on behind it;
    ///  - truncated_file: the file ends inside a record; every whole record was given before;
    ///  - bad_file: the file is damaged here, or beyond the limits; a system error: it could not be read.
    /// After any error but the first the file is at its end. So
    ///
    ///     for (;;) {
    ///         auto f = reader.next(ec);
    ///         if (f) use(*f);
    ///         else if (ec) complain(reader.why());
    ///         else break;
    ///     }
    ///
    /// gives each frame and each error once.
    std::optional<frame> next(error_code& ec);
    /// As above; throws `error`, or system_error where the error is the system's.
    std::optional<frame> next();

    /// What the last error was about, with the file's name and the place in it (in octets from its begin).
    std::string const& why() const noexcept;
    /// The name of the last frame's interface (pcapng if_name, at most 255 octets, unescaped), or empty.
    std::string const& interface_name() const noexcept;

private:
    struct SONDE_PRIVATE state;
    std::unique_ptr<state> state_;
};

SONDE_NAMESPACE_END
