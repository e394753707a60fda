#pragma once

#include <sonde/packet/packet.hpp>

#include <functional>
#include <iterator>
#include <memory>
#include <optional>

namespace sonde::tools {

/// Packets that are made when they are wanted, as a range: a verb takes one at a time, each when it is due,
/// so what the function gives may depend on the answers so far. Ends when the function gives nothing.
class packets_on_demand {
public:
    explicit packets_on_demand(std::function<std::optional<packet>()> draw) : draw_(std::move(draw)) {}

    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = packet;
        using difference_type = std::ptrdiff_t;

        iterator() = default;
        explicit iterator(packets_on_demand* from) : from_(from) {}
        packet const& operator*() const { return *from_->now_; }
        iterator& operator++() {
            from_->now_ = from_->draw_();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const { return !from_->now_; }

    private:
        packets_on_demand* from_ = nullptr;
    };

    iterator begin() {
        now_ = draw_();
        return iterator(this);
    }
    std::default_sentinel_t end() const { return {}; }

private:
    std::function<std::optional<packet>()> draw_;
    std::optional<packet> now_;
};

}  // namespace sonde::tools
