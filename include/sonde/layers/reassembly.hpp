#pragma once

#include <sonde/packet/packet.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// How much is kept for datagrams that are not complete.
struct reassembly_limits {
    std::size_t datagrams = 1024;                             ///< the oldest makes room for a new one
    std::size_t bytes = std::size_t(4) << 20;                 ///< of fragments, bookkeeping counted; as above
    std::chrono::nanoseconds age = std::chrono::seconds(30);  ///< from the first fragment on
};

/// What became of the fragments.
struct reassembly_counters {
    std::uint64_t fragments = 0;    ///< that came in
    std::uint64_t reassembled = 0;  ///< datagrams that became whole
    std::uint64_t duplicates = 0;   ///< fragments that were there already, byte for byte
    std::uint64_t malformed = 0;  ///< fragments that no datagram can have: cut short, empty, past byte 65535
    std::uint64_t conflicting = 0;  ///< datagrams dropped because their fragments overlap or contradict
    std::uint64_t expired = 0;      ///< datagrams dropped for their age
    std::uint64_t evicted = 0;      ///< datagrams dropped to make room
    /// Member by member.
    friend bool operator==(reassembly_counters const&, reassembly_counters const&) = default;
};

/// Makes whole datagrams of IPv4 and IPv6 fragments (RFC 791 §3.2, RFC 8200 §4.5), without any I/O or clock.
///
/// A datagram is told by source, destination, id, for IPv4 the protocol, the interface and the VLANs. Where
/// fragments overlap the datagram is dropped, with all that still comes of it: RFC 5722 demands that for
/// IPv6, and for IPv4 any other rule lets a sender show two readers two datagrams. Fragments that are equal
/// byte for byte are duplicates, not overlaps. Atomic fragments wait for nothing (RFC 6946).
/// Looks at the outermost IP layer only: what a tunnel carries inside is left as it is.
/// Cost of a fragment: the logarithms of the datagrams that wait and of its datagram's fragments. Threads:
/// one at a time.
class reassembler {
public:
    /// Empty.
    explicit reassembler(reassembly_limits const& limits = {});
    ~reassembler();
    /// All that waits, and the counters; the one moved from can only be destroyed or assigned to.
    /// @{
    reassembler(reassembler&&) noexcept;
    reassembler& operator=(reassembler&&) noexcept;
    /// @}

    /// Takes a packet. Gives it back at once if it is no fragment; if it completes a datagram, gives that,
    /// dissected anew: headers of the first fragment, its fragment header or MF flag gone, length and
    /// checksum right, time and interface of the fragment that came last. Else nothing.
    /// `now`: the time since any fixed moment; it must not go backwards for `age` to mean anything.
    std::optional<packet> add(packet p, std::chrono::nanoseconds now);
    /// Drops datagrams that are too old. `add` does so too.
    void expire(std::chrono::nanoseconds now);

    /// Datagrams that wait for fragments, or for their age because they were dropped.
    std::size_t datagrams() const;
    /// Bytes held.
    std::size_t bytes() const;
    /// Since it was made. Valid, and kept up to date, as long as the reassembler.
    reassembly_counters const& counters() const;

private:
    class SONDE_PRIVATE table;
    std::unique_ptr<table> table_;
};

/// What `defrag` makes of packets, in their order; a reassembled one stands where its last fragment stood.
struct defragmented {
    /// What came whole, and what was made whole.
    /// @{
    std::vector<packet> unfragmented, reassembled;
    /// @}
    reassembly_counters counters;  ///< what was left out, and why
};

namespace detail {
/// For packets that are all there: nothing grows old.
inline constexpr reassembly_limits all_there{
    .datagrams = std::size_t(1) << 16, .bytes = std::size_t(1) << 28, .age = std::chrono::nanoseconds::max()};
}  // namespace detail

/// Scapy's `defragment`: the packets of a range, fragments made whole. Those that make no whole are left
/// out.
template <std::ranges::input_range Packets>
std::vector<packet> defragment(Packets&& packets) {
    reassembler whole(detail::all_there);
    std::vector<packet> all;
    for (auto&& p : packets)
        if (auto complete = whole.add(packet(p), {})) all.push_back(*std::move(complete));
    return all;
}

/// Scapy's `defrag`: the same as two lists.
template <std::ranges::input_range Packets>
defragmented defrag(Packets&& packets) {
    reassembler whole(detail::all_there);
    defragmented result;
    for (auto&& p : packets) {
        auto before = whole.counters().reassembled;
        auto complete = whole.add(packet(p), {});
        if (!complete) continue;
        bool made = whole.counters().reassembled != before;
        (made ? result.reassembled : result.unfragmented).push_back(*std::move(complete));
    }
    result.counters = whole.counters();
    return result;
}

SONDE_NAMESPACE_END
