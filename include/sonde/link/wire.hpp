#pragma once

#include <sonde/link/virtual_clock.hpp>
#include <sonde/packet/random.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// What one direction of a link does to frames. Chances are from 0 to 1, each drawn for each frame.
struct link_conditions {
    std::chrono::nanoseconds delay = std::chrono::microseconds(100);  ///< from one end to the other
    std::chrono::nanoseconds jitter{};  ///< added to the delay: uniform from 0 to this. It reorders, too
    double loss = 0;                    ///< a frame vanishes
    double duplicate = 0;               ///< a frame arrives twice
    double reorder = 0;                 ///< a frame is held back by `held_back`, so that others overtake it
    double corrupt = 0;                 ///< `flipped_bits` of a frame are turned over, above the link header
    std::chrono::nanoseconds held_back = std::chrono::milliseconds(1);  ///< how long, beside the delay
    unsigned flipped_bits = 1;     ///< the Internet checksum finds one for sure, of several most
    double rate = 0;               ///< bits per second; 0: no limit
    std::size_t queue = 64 << 10;  ///< bytes that wait for the rate; frames beyond are dropped
    unsigned mtu = 0;              ///< bytes of IP packet; 0: no limit
};

/// What became of frames on a wire.
struct wire_counts {
    std::uint64_t entered = 0;     ///< frames that were sent into it
    std::uint64_t duplicated = 0;  ///< copies that the wire made
    std::uint64_t corrupted = 0;   ///< of those delivered or in flight
    std::uint64_t lost = 0;        ///< by chance
    std::uint64_t overflowed = 0;  ///< found the rate's queue full
    std::uint64_t delivered = 0;   ///< arrived at the other end, copies included
    std::uint64_t in_flight = 0;   ///< now

    /// Nothing vanishes and nothing appears.
    constexpr bool holds() const { return entered + duplicated == delivered + lost + overflowed + in_flight; }
    /// Sums, of several wires.
    wire_counts& operator+=(wire_counts const& more);
    /// Member by member.
    friend constexpr bool operator==(wire_counts const&, wire_counts const&) = default;
};

/// Where a wire ends.
class wire_end {
public:
    virtual ~wire_end() = default;
    /// A frame has come through; called as an event of the clock.
    virtual void arrived(std::vector<std::byte> frame) = 0;
};

/// One direction of a simulated link: frames go in and come out later, or never, as its conditions and its
/// seed have it. The same seed and frames give the same outcome.
/// Lifetimes: the clock outlives it; it and its ends outlive the frames on it.
class wire {
public:
    /// `seed` decides whatever the conditions leave to chance.
    wire(virtual_clock& clock, link_conditions const& c, std::uint64_t seed)
        : conditions(c), clock_(clock), random_(seed) {}

    /// The first `header` bytes are safe from corruption: the link's own check sequence would show it.
    /// `part` of the delay: a frame that goes only so far.
    void send(std::vector<std::byte> frame, std::size_t header, wire_end& to, double part = 1);

    /// Counts so far.
    wire_counts const& counts() const noexcept { return counts_; }

    link_conditions conditions;  ///< may change at any time

private:
    bool chance(double p);
    void corrupt(std::span<std::byte> bytes);
    void carry(std::vector<std::byte> frame, std::size_t header, wire_end& to, double part,
               virtual_clock::time_point leaves);
    bool take_turn(std::size_t bytes, virtual_clock::time_point& leaves);

    virtual_clock& clock_;
    random_source random_;
    virtual_clock::time_point free_at_{};  // when the rate lets the next frame through
    wire_counts counts_;
};

SONDE_NAMESPACE_END
