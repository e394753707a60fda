#pragma once

#include "capture/input.hpp"

#include <sonde/link/frame.hpp>

#include <memory>
#include <optional>

namespace sonde::inline v0::detail {

/// A file format behind capture_reader. `next` throws capture_failure; after unsupported_link_type it can go
/// on.
class capture_format {
public:
    virtual ~capture_format() = default;
    virtual std::optional<frame> next() = 0;
    virtual std::string const& interface_name() const { return no_name_; }

private:
    std::string no_name_;
};

/// The format of these first four octets, which are read. Null when it is another.
std::unique_ptr<capture_format> make_pcap(capture_input& input, std::span<std::byte const> magic);
std::unique_ptr<capture_format> make_pcapng(capture_input& input, std::span<std::byte const> magic);

/// What a LINKTYPE_ value of a file is to us, or nothing.
std::optional<link_type> known_link_type(std::uint32_t value);

/// Fails for a frame of a link type that is not known.
[[noreturn]] void fail_link_type(capture_input const& input, std::uint32_t value);

/// Fails when a frame is over the limit.
void check_frame_size(capture_input const& input, std::size_t captured);

}  // namespace sonde::inline v0::detail
