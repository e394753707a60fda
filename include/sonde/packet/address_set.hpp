#pragma once

#include <sonde/packet/address.hpp>
#include <sonde/packet/value.hpp>

#include <concepts>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// Addresses and networks of both families, of any number: `address_set("10.0.0.0/8", "2001:db8::7")`.
///
/// Kept as intervals, sorted and disjoint. Throws bad_text, naming the text, for what is no address or
/// network; host names are not looked up. Threads: const members: safe. Cost: 32 bytes for each network;
/// `contains` takes the logarithm of their number.
class address_set {
public:
    /// Both ends included.
    struct interval {
        /// Numbers, as `value_traits` makes them: of IPv4 in the low 32 bits.
        /// @{
        wire_value first, last;
        /// @}
    };

    /// No address.
    address_set() = default;
    /// Addresses, and networks with their prefix length.
    template <std::convertible_to<std::string_view>... Text>
        requires(sizeof...(Text) > 0)
    address_set(Text const&... networks) {
        (add(std::string_view(networks)), ...);
        settle();
    }
    /// A list of any length: lines of a file, say.
    template <class R>
        requires(!std::convertible_to<R const&, std::string_view> &&
                 requires(R const& r) { std::string_view(*std::begin(r)); })
    explicit address_set(R const& networks) {
        for (auto const& n : networks) add(std::string_view(n));
        settle();
    }

    /// What is in either.
    address_set& operator|=(address_set const& other);

    /// Looks among those of the address's own family; an IPv4-mapped one is IPv6.
    bool contains(ip_address const& address) const noexcept;
    /// True without an address of either family.
    bool empty() const noexcept { return v4_.empty() && v6_.empty(); }

    /// What it holds of one family: in order, disjoint, though neighbours may touch. Valid until the set
    /// changes.
    /// @{
    std::span<interval const> v4() const noexcept { return v4_; }
    std::span<interval const> v6() const noexcept { return v6_; }
    /// @}

private:
    void add(std::string_view network);
    void settle();

    std::vector<interval> v4_, v6_;
};

SONDE_NAMESPACE_END
