#include <sonde/link/wire.hpp>

#include <algorithm>

namespace sonde::inline v0 {

wire_counts& wire_counts::operator+=(wire_counts const& more) {
    entered += more.entered, duplicated += more.duplicated, corrupted += more.corrupted;
    lost += more.lost, overflowed += more.overflowed, delivered += more.delivered;
    in_flight += more.in_flight;
    return *this;
}

bool wire::chance(double p) {
    // Drawn only where something depends on it, so that other conditions keep their outcomes.
    return p > 0 && static_cast<double>(random_.next() >> 11) * 0x1p-53 < p;
}

void wire::corrupt(std::span<std::byte> bytes) {
    if (bytes.empty()) return;
    for (unsigned i = 0; i < conditions.flipped_bits; ++i) {
        auto bit = random_.up_to(bytes.size() * 8 - 1);
        bytes[bit / 8] ^= std::byte(1u << (bit % 8));
    }
    ++counts_.corrupted;
}

/// Waits for the frames before it. False when too many do.
bool wire::take_turn(std::size_t bytes, virtual_clock::time_point& leaves) {
    leaves = clock_.now();
    if (conditions.rate <= 0) return true;
    using seconds = std::chrono::duration<double>;
    auto begins = std::max(free_at_, leaves);
    auto waiting = seconds(begins - leaves).count() * conditions.rate / 8;
    if (waiting > 0 && waiting + static_cast<double>(bytes) > static_cast<double>(conditions.queue))
        return false;
    auto takes = seconds(static_cast<double>(bytes) * 8 / conditions.rate);
    leaves = free_at_ = begins + std::chrono::duration_cast<std::chrono::nanoseconds>(takes);
    return true;
}

void wire::send(std::vector<std::byte> frame, std::size_t header, wire_end& to, double part) {
    ++counts_.entered;
    virtual_clock::time_point leaves;
    if (!take_turn(frame.size(), leaves)) {
        ++counts_.overflowed;
        return;
    }
    if (chance(conditions.loss)) {
        ++counts_.lost;
        return;
    }
    bool twice = chance(conditions.duplicate);
    counts_.duplicated += twice;
    if (twice) carry(frame, header, to, part, leaves);
    carry(std::move(frame), header, to, part, leaves);
}

void wire::carry(std::vector<std::byte> frame, std::size_t header, wire_end& to, double part,
                 virtual_clock::time_point leaves) {
    if (chance(conditions.corrupt)) corrupt(std::span(frame).subspan(std::min(header, frame.size())));
    auto after = conditions.delay;
    if (part < 1)
        after =
            std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(after.count()) * part));
    if (conditions.jitter.count() > 0)
        after +=
            std::chrono::nanoseconds(random_.up_to(static_cast<std::uint64_t>(conditions.jitter.count())));
    if (chance(conditions.reorder)) after += conditions.held_back;
    ++counts_.in_flight;
    clock_.at(leaves + after, [this, &to, frame = std::move(frame)]() mutable {
        --counts_.in_flight;
        ++counts_.delivered;
        to.arrived(std::move(frame));
    });
}

}  // namespace sonde::inline v0
