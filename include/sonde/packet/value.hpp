#pragma once

#include <sonde/packet/address.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

SONDE_NAMESPACE_BEGIN

/// Names of numbers, as a table: what `show` prints and text is looked up in.
struct value_name {
    std::uint64_t value;    ///< the number; of flags, the bit's value
    std::string_view name;  ///< borrowed for the life of the program
};
/// A table of them, borrowed for the life of the program.
using value_names = std::span<value_name const>;

/// An unsigned number of N bits on the wire, 1 to 64, that starts wherever the field before it ends.
template <unsigned N>
    requires(N >= 1 && N <= 64)
struct bits {
    std::uint64_t value = 0;  ///< fields of this type hold a plain integer instead
};

/// A number that has names, as protocol numbers and message types do. `Names::names` is the table.
/// Converts from the number and from any of its names; a literal name is checked at compile time.
template <std::unsigned_integral T, class Names>
struct enumerated {
    T value = 0;  ///< the number, in host order

    /// 0
    constexpr enumerated() = default;
    /// A number, whether it has a name or not.
    constexpr explicit enumerated(T v) : value(v) {}
    /// The number of a name, checked at compile time.
    template <std::size_t N>
    consteval enumerated(char const (&name)[N]) : value(parsed(std::string_view(name, N - 1))) {}
    /// The same at run time; throws `error` (bad_text) that names the text.
    template <runtime_text S>
    constexpr enumerated(S const& name) : value(parsed(name)) {}

    /// The number.
    constexpr operator T() const { return value; }

private:
    static constexpr T parsed(std::string_view s) {
        for (auto const& n : Names::names)
            if (n.name == s) return static_cast<T>(n.value);
        throw_error(errc::bad_text, "name \"" + std::string(s) + "\"");
    }
};

/// Bits with names, lowest first. Text is the names run together when each is one letter ("SA"), else
/// joined by '+' ("MF+DF"). `Names::names` is an array of string_view.
template <class Names>
struct flag_set {
    static constexpr unsigned width = Names::names.size();  ///< bits: as many as there are names
    std::uint16_t value = 0;                                ///< the first name's is the lowest bit

    /// No flags.
    constexpr flag_set() = default;
    /// The flags of a number.
    constexpr explicit flag_set(std::uint16_t v) : value(v) {}
    /// The flags of their names; "" is none. Checked at compile time.
    template <std::size_t N>
    consteval flag_set(char const (&text)[N]) : value(parsed(std::string_view(text, N - 1))) {}
    /// The same at run time; throws `error` (bad_text) that names the text.
    template <runtime_text S>
    constexpr flag_set(S const& text) : value(parsed(text)) {}

    /// True when every flag of `other` is set.
    constexpr bool has(flag_set other) const { return (value & other.value) == other.value; }
    /// The number.
    constexpr operator std::uint16_t() const { return value; }
    /// Flag by flag: the same ones, and no others.
    friend constexpr bool operator==(flag_set, flag_set) = default;

    /// True when each name is one letter: text runs them together then.
    static constexpr bool letters = [] {
        for (auto n : Names::names)
            if (n.size() != 1) return false;
        return true;
    }();

private:
    static constexpr std::uint16_t bit(std::string_view name, std::string_view whole) {
        for (unsigned i = 0; i < width; ++i)
            if (Names::names[i] == name) return static_cast<std::uint16_t>(1u << i);
        throw_error(errc::bad_text, "flags \"" + std::string(whole) + "\"");
    }
    static constexpr std::uint16_t parsed(std::string_view text) {
        std::uint16_t flags = 0;
        for (auto rest = text; !rest.empty();) {
            auto n = letters ? 1 : std::min(rest.find('+'), rest.size());
            flags |= bit(rest.substr(0, n), text);
            rest.remove_prefix(letters || n == rest.size() ? n : n + 1);
        }
        return flags;
    }
};

/// Bytes that somebody else holds: a payload. Text, or any contiguous range of bytes, converts to it.
/// Borrowed until the packet is made from the layer that holds it.
struct octets {
    std::string_view value;  ///< the bytes, any of them

    /// No bytes.
    constexpr octets() = default;
    /// Text or bytes as they are, borrowed; a `char const*` ends at its first zero.
    /// @{
    constexpr octets(std::string_view text) : value(text) {}
    constexpr octets(char const* text) : value(text) {}
    octets(std::string const& text) : value(text) {}
    octets(std::span<std::byte const> bytes)
        : value(reinterpret_cast<char const*>(bytes.data()), bytes.size()) {}
    octets(std::span<std::uint8_t const> bytes)
        : value(reinterpret_cast<char const*>(bytes.data()), bytes.size()) {}
    /// @}

    /// Bytes.
    constexpr std::size_t size() const { return value.size(); }
    /// The bytes, borrowed from the same owner.
    /// @{
    constexpr operator std::string_view() const { return value; }
    std::span<std::byte const> bytes() const { return std::as_bytes(std::span(value.data(), value.size())); }
    /// @}
    /// Byte by byte.
    friend constexpr bool operator==(octets a, octets b) { return a.value == b.value; }
};

/// The value of a field as the wire carries it: up to 128 bits, most significant first.
struct wire_value {
    /// The higher 64 bits; 0 for fields of no more than 64.
    std::uint64_t high = 0, low = 0;  ///< the lower 64 bits
    /// As numbers of 128 bits.
    friend constexpr auto operator<=>(wire_value const&, wire_value const&) = default;
};

/// What a field's bits mean, as far as printing, parsing and counting go.
enum class value_kind : std::uint8_t { number, flags, mac, ipv4, ipv6, octets, options };

/// How a C++ type lies on the wire: `kind`, `width` in bits (0: as long as the header leaves), `native` (what
/// a user reads), conversions to and from wire_value, and names where it has them.
template <class T>
struct value_traits;

/// A number of as many bits as its type has.
template <std::unsigned_integral T>
struct value_traits<T> {
    /// As value_traits says.
    /// @{
    using native = T;
    static constexpr auto kind = value_kind::number;
    static constexpr unsigned width = sizeof(T) * 8;
    static constexpr value_names names{};
    static constexpr wire_value to_wire(T v) { return {0, v}; }
    static constexpr T from_wire(wire_value w) { return static_cast<T>(w.low); }
    /// @}
};

namespace detail {
template <unsigned N>
using least_uint = std::conditional_t<
    N <= 8, std::uint8_t,
    std::conditional_t<N <= 16, std::uint16_t, std::conditional_t<N <= 32, std::uint32_t, std::uint64_t>>>;
}

/// A number of N bits; a user reads the smallest unsigned type that holds it.
template <unsigned N>
struct value_traits<bits<N>> {
    /// As value_traits says.
    /// @{
    using native = detail::least_uint<N>;
    static constexpr auto kind = value_kind::number;
    static constexpr unsigned width = N;
    static constexpr value_names names{};
    static constexpr wire_value to_wire(native v) { return {0, v}; }
    static constexpr native from_wire(wire_value w) { return static_cast<native>(w.low); }
    /// @}
};

/// A number, and its names.
template <class T, class Names>
struct value_traits<enumerated<T, Names>> {
    /// As value_traits says.
    /// @{
    using native = enumerated<T, Names>;
    static constexpr auto kind = value_kind::number;
    static constexpr unsigned width = sizeof(T) * 8;
    static constexpr value_names names{Names::names};
    static constexpr wire_value to_wire(native v) { return {0, v.value}; }
    static constexpr native from_wire(wire_value w) { return native(static_cast<T>(w.low)); }
    /// @}
};

/// Bits, one for each name.
template <class Names>
struct value_traits<flag_set<Names>> {
    /// As value_traits says.
    /// @{
    using native = flag_set<Names>;
    static constexpr auto kind = value_kind::flags;
    static constexpr unsigned width = native::width;
    /// @}
    /// Each bit's value and name, the lowest first: what `names` shows.
    static constexpr auto table = [] {
        std::array<value_name, width> t{};
        for (unsigned i = 0; i < width; ++i) t[i] = {std::uint64_t(1) << i, Names::names[i]};
        return t;
    }();
    /// As value_traits says.
    /// @{
    static constexpr value_names names{table};
    static constexpr wire_value to_wire(native v) { return {0, v.value}; }
    static constexpr native from_wire(wire_value w) { return native(static_cast<std::uint16_t>(w.low)); }
    /// @}
};

/// 32 bits: the address as a number.
template <>
struct value_traits<ipv4> {
    /// As value_traits says.
    /// @{
    using native = ipv4;
    static constexpr auto kind = value_kind::ipv4;
    static constexpr unsigned width = 32;
    static constexpr value_names names{};
    static constexpr wire_value to_wire(ipv4 v) { return {0, v.value}; }
    static constexpr ipv4 from_wire(wire_value w) { return ipv4(static_cast<std::uint32_t>(w.low)); }
    /// @}
};

/// 128 bits: the address as a number.
template <>
struct value_traits<ipv6> {
    /// As value_traits says.
    /// @{
    using native = ipv6;
    static constexpr auto kind = value_kind::ipv6;
    static constexpr unsigned width = 128;
    static constexpr value_names names{};
    static constexpr wire_value to_wire(ipv6 const& v) { return {v.high(), v.low()}; }
    static constexpr ipv6 from_wire(wire_value w) { return ipv6::from_halves(w.high, w.low); }
    /// @}
};

/// 48 bits: the first octet is the highest.
template <>
struct value_traits<mac> {
    /// As value_traits says.
    /// @{
    using native = mac;
    static constexpr auto kind = value_kind::mac;
    static constexpr unsigned width = 48;
    static constexpr value_names names{};
    static constexpr wire_value to_wire(mac const& v) {
        wire_value w;
        for (auto octet : v.octets) w.low = w.low << 8 | octet;
        return w;
    }
    static constexpr mac from_wire(wire_value w) {
        mac m;
        for (std::size_t i = 0; i < 6; ++i) m.octets[i] = static_cast<std::uint8_t>(w.low >> (40 - 8 * i));
        return m;
    }
    /// @}
};

/// Bytes, as long as the header leaves. They have no wire_value, and so no conversions.
template <>
struct value_traits<octets> {
    /// As value_traits says.
    /// @{
    using native = octets;
    static constexpr auto kind = value_kind::octets;
    static constexpr unsigned width = 0;
    static constexpr value_names names{};
    /// @}
};

SONDE_NAMESPACE_END
