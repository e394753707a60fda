#pragma once

#include <sonde/link/frame.hpp>
#include <sonde/packet/packet.hpp>
#include <sonde/packet/packet_set.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>

SONDE_NAMESPACE_BEGIN

namespace detail {

/// Called once with the next packet, or with nothing at the end.
using next_packet_handler = std::function<void(error_code, std::optional<packet>)>;

/// Where a verb's packets come from.
class source_base {
public:
    virtual ~source_base() = default;
    /// How many packets, where that is known and any of them can be had by its number.
    virtual std::optional<std::uint64_t> size() const { return {}; }
    /// The packet of this number; only with a size.
    virtual packet at(std::uint64_t, random_source&) { return {}; }
    /// The set that `at` numbers, if it is one.
    virtual packet_set const* set() const { return nullptr; }
    /// The next packet, or nothing at the end; only without a size. Throws when the source fails: that too is
    /// its end.
    virtual std::optional<packet> next() { return {}; }
    /// True when it has frames, which `next_frame` gives without a packet around each.
    virtual bool has_frames() const { return false; }
    /// As `next`; nullptr at the end. Valid until the next call.
    virtual frame const* next_frame() { return nullptr; }
    /// True when `async_next` must be used instead of `next`.
    virtual bool is_async() const { return false; }
    virtual void async_next(next_packet_handler) {}
    /// Begins anew; false when it cannot.
    virtual bool rewind() { return false; }
};

template <class G>
concept async_packet_generator = requires(G& g) {
    { g.next(std::declval<next_packet_handler>()) };
};

template <class R>
concept packet_range =
    std::ranges::input_range<R> && std::convertible_to<std::ranges::range_reference_t<R>, packet> &&
    !std::convertible_to<R const&, std::string_view> && !std::same_as<std::remove_cvref_t<R>, packet> &&
    !std::same_as<std::remove_cvref_t<R>, packet_set>;

/// A range whose packets are frames that can be had as they are.
template <class R>
concept frame_range = requires(std::ranges::iterator_t<R> const& i) {
    { i.raw() } -> std::same_as<frame const&>;
};

/// A range whose packets can be had by their numbers.
template <class R>
concept numbered_range = std::ranges::random_access_range<R> && std::ranges::sized_range<R>;

/// A range that holds its packets, where a view may make each when it is looked at.
template <class R>
concept stored_range = std::same_as<std::remove_cvref_t<std::ranges::range_reference_t<R>>, packet> &&
                       std::is_reference_v<std::ranges::range_reference_t<R>>;

/// True of a set of several packets, or of none.
bool is_several(packet const& p);
/// The only packet of an element that was asked for by its number. Throws not_a_single_value.
packet only_packet_of(packet const& element, std::uint64_t index, random_source& random);

template <class R>
class range_source final : public source_base {
public:
    template <class From>
    explicit range_source(From&& range) : range_(std::forward<From>(range)) {}

    std::optional<std::uint64_t> size() const override {
        if constexpr (numbered_range<R>) {
            if constexpr (stored_range<R>)
                if (std::ranges::any_of(range_, is_several)) return {};
            return static_cast<std::uint64_t>(std::ranges::size(range_));
        } else {
            return {};
        }
    }
    packet at(std::uint64_t index, random_source& random) override {
        if constexpr (numbered_range<R>)
            return only_packet_of(
                std::ranges::begin(range_)[static_cast<std::ranges::range_difference_t<R>>(index)], index,
                random);
        else
            return {};
    }
    std::optional<packet> next() override {
        if (!advance()) return {};
        return packet(**at_);
    }
    bool has_frames() const override { return frame_range<R>; }
    frame const* next_frame() override {
        if constexpr (frame_range<R>)
            return advance() ? &at_->raw() : nullptr;
        else
            return nullptr;
    }
    bool rewind() override {
        at_.reset();
        return std::ranges::forward_range<R> || requires { requires R::begins_again; };
    }

private:
    bool advance() {
        if (!at_)
            at_ = std::ranges::begin(range_);
        else
            ++*at_;
        return *at_ != std::ranges::end(range_);
    }

    mutable R range_;
    std::optional<std::ranges::iterator_t<R>> at_;
};

template <class G>
class generator_source final : public source_base {
public:
    explicit generator_source(G generator) : generator_(std::move(generator)) {}
    bool is_async() const override { return true; }
    void async_next(next_packet_handler handler) override { generator_.next(std::move(handler)); }

private:
    G generator_;
};

}  // namespace detail

/// What a verb takes for its packets: a packet or packet_set (of any size, made lazily), a range of packets
/// (a capture file, a vector, a view), or an async generator of packets (a `sniff`, whatever has
/// `next(token)`).
///
/// An element that is a set is all its packets, each made when it is due. Sets, and random access ranges of
/// single packets, are read by number, so a probe in flight needs no copy of its packet; an element of a
/// random access view that makes sets fails with not_a_single_value: `std::views::join` gives their packets.
class packet_source {
public:
    /// All packets of a set, by number; a packet without sets is a set of one.
    /// @{
    packet_source(packet set);
    packet_source(packet_set set);
    /// @}
    /// A packet of this one layer, or all of them where its fields hold sets.
    template <layer L>
    packet_source(L const& l) : packet_source(packet(l)) {}
    /// A packet of these bytes alone: a Raw layer.
    /// @{
    packet_source(char const* payload) : packet_source(packet(payload)) {}
    packet_source(std::string_view payload) : packet_source(packet(payload)) {}
    packet_source(std::string const& payload) : packet_source(packet(payload)) {}
    /// @}
    /// The packets of a range. An lvalue is copied, unless it is a view, whose range must then stay.
    template <detail::packet_range R>
    packet_source(R&& range)
        : source_(std::make_unique<detail::range_source<std::remove_cvref_t<R>>>(std::forward<R>(range))) {}
    /// An async generator's packets, each asked for when it is due. Its last `next` may outlive it.
    template <class G>
        requires(!detail::packet_range<G> && detail::async_packet_generator<G> && !std::is_reference_v<G>)
    packet_source(G&& generator)
        : source_(std::make_unique<detail::generator_source<G>>(std::forward<G>(generator))) {}

    /// The one moved from can only be destroyed or assigned to.
    /// @{
    packet_source(packet_source&&) noexcept = default;
    packet_source& operator=(packet_source&&) noexcept = default;
    /// @}

    /// What the verbs read from.
    /// @{
    detail::source_base& operator*() const { return *source_; }
    detail::source_base* operator->() const { return source_.get(); }
    /// @}

private:
    std::unique_ptr<detail::source_base> source_;
};

SONDE_NAMESPACE_END
