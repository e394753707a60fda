#pragma once

#include <sonde/packet/packet.hpp>

#include <functional>
#include <iterator>
#include <memory>
#include <optional>

SONDE_NAMESPACE_BEGIN
namespace tools {

/// Packets that are made when they are wanted, as a range: a verb takes one at a time, each when it is due,
/// so what the function gives may depend on the answers so far. Ends when the function gives nothing.
class packets_on_demand {
public:
    /// `draw` gives the next packet, or nothing at the end.
    explicit packets_on_demand(std::function<std::optional<packet>()> draw) : draw_(std::move(draw)) {}

    /// An input iterator; all of one range are at the same packet.
    class iterator {
    public:
        /// As std::input_iterator wants it.
        /// @{
        using iterator_concept = std::input_iterator_tag;
        using value_type = packet;
        using difference_type = std::ptrdiff_t;
        /// @}

        iterator() = default;
        /// At the packet that was drawn last.
        explicit iterator(packets_on_demand* from) : from_(from) {}
        /// Good until the next one is drawn.
        packet const& operator*() const { return *from_->now_; }
        /// Draws the next packet.
        /// @{
        iterator& operator++() {
            from_->now_ = from_->draw_();
            return *this;
        }
        void operator++(int) { ++*this; }
        /// @}
        /// True when the function has given nothing.
        bool operator==(std::default_sentinel_t) const { return !from_->now_; }

    private:
        packets_on_demand* from_ = nullptr;
    };

    /// Draws a packet, each time that it is called.
    iterator begin() {
        now_ = draw_();
        return iterator(this);
    }
    /// Where the function gives nothing.
    std::default_sentinel_t end() const { return {}; }

private:
    std::function<std::optional<packet>()> draw_;
    std::optional<packet> now_;
};

}  // namespace tools
SONDE_NAMESPACE_END
