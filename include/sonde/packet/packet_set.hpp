#pragma once

#include <sonde/packet/address_set.hpp>
#include <sonde/packet/packet.hpp>

#include <string>
#include <string_view>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// A set of packets in another order, or a part of it: what the adaptors below make. Verbs take it as they
/// take a packet; nothing is stored but the packet and the steps from its numbers to these.
///
///     net.sr(IP{.dst = "198.18.0.0/16"} / TCP{.dport = {80, 443}} | exclude("198.18.7.0/24") | shuffled(42)
///     | shard(0, 4));
///
/// Adaptors apply from left to right. Cost: `size` and `operator[]` take constant time, whatever the size; of
/// a set with exclusions, the logarithm of their number. Threads: as packet.
class packet_set {
public:
    /// All packets of the set, in its order; none of a packet without layers. Throws as `packet::size`.
    /// @{
    packet_set(packet set);
    template <layer L>
    packet_set(L const& l) : packet_set(packet(l)) {}
    /// @}

    /// How many packets the adaptors leave.
    std::uint64_t size() const { return size_; }
    /// What it was made of.
    packet const& base() const { return base_; }
    /// Throws value_out_of_range at `size()` and beyond.
    packet operator[](std::uint64_t index) const { return base_[base_index(index)]; }
    /// The same, with the caller's randomness.
    packet at(std::uint64_t index, random_source& random) const {
        return base_.at(base_index(index), random);
    }
    /// Which packet of the set that it was made of this is.
    std::uint64_t base_index(std::uint64_t index) const;

    /// The packets, in order, each made when it is looked at.
    class iterator {
    public:
        /// An input iterator, which gives packets by value.
        /// @{
        using iterator_concept = std::input_iterator_tag;
        using value_type = packet;
        using difference_type = std::ptrdiff_t;
        /// @}

        /// Of no set.
        iterator() = default;
        /// At an index of the set, which must outlive it and stay where it is.
        iterator(packet_set const* set, std::uint64_t index) : set_(set), index_(index) {}
        /// The packet here, made anew in each call; throws as `operator[]`.
        packet operator*() const { return (*set_)[index_]; }
        /// To the next index; nothing is made.
        /// @{
        iterator& operator++() {
            ++index_;
            return *this;
        }
        iterator operator++(int) {
            auto before = *this;
            ++index_;
            return before;
        }
        /// @}
        /// By index: both are of one set.
        friend bool operator==(iterator const& a, iterator const& b) { return a.index_ == b.index_; }

    private:
        packet_set const* set_ = nullptr;
        std::uint64_t index_ = 0;
    };
    /// All packets that the adaptors leave.
    /// @{
    iterator begin() const { return {this, 0}; }
    iterator end() const { return {this, size_}; }
    /// @}

private:
    friend packet_set operator|(packet_set set, struct shuffled how);
    friend packet_set operator|(packet_set set, struct shard which);
    friend packet_set operator|(packet_set set, struct drop count);
    friend packet_set operator|(packet_set set, struct take count);

    struct step {
        enum kind : std::uint8_t { permute, stride } what;
        std::uint64_t a, b;  ///< permute: size, seed; stride: first, distance
    };
    packet base_;
    std::vector<step> steps_;
    std::uint64_t size_;
};

/// All packets in an order that looks random: a keyed permutation of the numbers. The same seed gives the
/// same order, on every machine and in every version, so a scan can be resumed and shared out. No table: the
/// n-th is computed.
struct shuffled {
    /// The order of this seed.
    constexpr explicit shuffled(std::uint64_t s) : seed(s) {}
    std::uint64_t seed;  ///< any number
};
/// Of every `count` packets the one numbered `index`: `count` machines, each with its own, share a set
/// without meeting.
struct shard {
    /// Throws value_out_of_range unless index < count.
    shard(std::uint64_t index, std::uint64_t count);
    /// Which share, from 0.
    std::uint64_t index, count;  ///< how many shares there are
};
/// All but the first `count`: a run that was interrupted there goes on.
struct drop {
    /// All of them may be left out: the set is empty then.
    constexpr explicit drop(std::uint64_t n) : count(n) {}
    std::uint64_t count;  ///< packets left out
};
/// The first `count` at most.
struct take {
    /// A set of fewer packets stays whole.
    constexpr explicit take(std::uint64_t n) : count(n) {}
    std::uint64_t count;  ///< packets kept
};

/// The set in that order, or that part of it. Cost: of taking the set over; no packet is made.
/// @{
packet_set operator|(packet_set set, shuffled how);
packet_set operator|(packet_set set, shard which);
packet_set operator|(packet_set set, drop count);
packet_set operator|(packet_set set, take count);
/// @}

/// Leaves out the packets that would go to these addresses or networks: `exclude("10.0.0.0/8",
/// "2001:db8::7")`.
///
/// Looks at `dst` of the outermost IP, IPv6 or (with none of them) at `pdst` of ARP; a host name there is not
/// looked up. The result is a packet like any other, its `dst` a list of ranges. Throws bad_text for what is
/// no address or network; not_a_single_value when the destination is random.
class exclude {
public:
    /// Addresses, and networks with their prefix length.
    template <std::convertible_to<std::string_view>... Text>
        requires(sizeof...(Text) > 0)
    explicit exclude(Text const&... networks) : networks_(networks...) {}
    /// A list of any length: lines of a file, say.
    template <class R>
        requires(!std::convertible_to<R const&, std::string_view> &&
                 requires(R const& r) { std::string_view(*std::begin(r)); })
    explicit exclude(R const& networks) : networks_(networks) {}
    /// A set that is there already.
    explicit exclude(address_set networks) : networks_(std::move(networks)) {}
    /// What is left; of size 0 when nothing is. A packet without such a destination, or whose destination is
    /// automatic, stays as it is.
    friend packet operator|(packet set, exclude const& what) { return what.apply(std::move(set)); }

private:
    packet apply(packet set) const;

    address_set networks_;
};
/// The same of one layer.
template <layer L>
packet operator|(L const& set, exclude const& what) {
    return packet(set) | what;
}

SONDE_NAMESPACE_END
