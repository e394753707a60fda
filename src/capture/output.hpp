#pragma once

#include <sonde/link/frame.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How frames become octets of a file: one class for each format. Writing them is capture_writer's.
namespace sonde::inline v0::detail {

class capture_output {
public:
    virtual ~capture_output() = default;
    /// The one link type that the file can hold; nothing when it may hold any.
    virtual std::optional<link_type> only_type() const { return {}; }
    /// Throws `error` for a frame that the format cannot hold; `name` stands in it.
    virtual void check(frame const& f, std::string_view comment, std::string const& name) const = 0;
    /// What the file begins with, unless it has begun.
    virtual void begin(std::vector<std::byte>& out, link_type first) = 0;
    /// A frame that `check` let through, behind `begin`.
    virtual void add(std::vector<std::byte>& out, frame const& f, std::string_view comment) = 0;
};

std::unique_ptr<capture_output> make_pcap_output();
/// Goes on in a file that begins with these 24 octets; null when they are no pcap header.
std::unique_ptr<capture_output> continue_pcap_output(std::span<std::byte const> header);
/// Begins a section of its own, so it may stand at the end of another file.
/// `interface_name`: as in capture_options.
std::unique_ptr<capture_output> make_pcapng_output(std::function<std::string(int)> interface_name);

}  // namespace sonde::inline v0::detail
