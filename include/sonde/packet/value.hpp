#pragma once

#include <sonde/packet/address.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sonde {

/// Names of numbers, as a table: what `show` prints and text is looked up in.
struct value_name {
    std::uint64_t value;
    std::string_view name;
};
using value_names = std::span<value_name const>;

/// An unsigned number of N bits on the wire, 1 to 64, that starts wherever the field before it ends.
template <unsigned N>
    requires(N >= 1 && N <= 64)
struct bits {
    std::uint64_t value = 0;
};

/// A number that has names, as protocol numbers and message types do. `Names::names` is the table.
/// Converts from the number and from any of its names; a literal name is checked at compile time.
template <std::unsigned_integral T, class Names>
struct enumerated {
    T value = 0;

    constexpr enumerated() = default;
    constexpr explicit enumerated(T v) : value(v) {}
    template <std::size_t N>
    consteval enumerated(char const (&name)[N]) : value(parsed(std::string_view(name, N - 1))) {}
    template <runtime_text S>
    constexpr enumerated(S const& name) : value(parsed(name)) {}

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
    static constexpr unsigned width = Names::names.size();
    std::uint16_t value = 0;

    constexpr flag_set() = default;
    constexpr explicit flag_set(std::uint16_t v) : value(v) {}
    template <std::size_t N>
    consteval flag_set(char const (&text)[N]) : value(parsed(std::string_view(text, N - 1))) {}
    template <runtime_text S>
    constexpr flag_set(S const& text) : value(parsed(text)) {}

    /// True when every flag of `other` is set.
    constexpr bool has(flag_set other) const { return (value & other.value) == other.value; }
    constexpr operator std::uint16_t() const { return value; }
    friend constexpr bool operator==(flag_set, flag_set) = default;

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
    std::string_view value;

    constexpr octets() = default;
    constexpr octets(std::string_view text) : value(text) {}
    constexpr octets(char const* text) : value(text) {}
    octets(std::string const& text) : value(text) {}
    octets(std::span<std::byte const> bytes)
        : value(reinterpret_cast<char const*>(bytes.data()), bytes.size()) {}
    octets(std::span<std::uint8_t const> bytes)
        : value(reinterpret_cast<char const*>(bytes.data()), bytes.size()) {}

    constexpr std::size_t size() const { return value.size(); }
    constexpr operator std::string_view() const { return value; }
    std::span<std::byte const> bytes() const { return std::as_bytes(std::span(value.data(), value.size())); }
    friend constexpr bool operator==(octets a, octets b) { return a.value == b.value; }
};

/// The value of a field as the wire carries it: up to 128 bits, most significant first.
struct wire_value {
    std::uint64_t high = 0, low = 0;
    friend constexpr auto operator<=>(wire_value const&, wire_value const&) = default;
};

/// What a field's bits mean, as far as printing, parsing and counting go.
enum class value_kind : std::uint8_t { number, flags, mac, ipv4, ipv6, octets, options };

/// How a C++ type lies on the wire: `kind`, `width` in bits (0: as long as the header leaves), `native` (what
/// a user reads), conversions to and from wire_value, and names where it has them.
template <class T>
struct value_traits;

template <std::unsigned_integral T>
struct value_traits<T> {
    using native = T;
    static constexpr auto kind = value_kind::number;
    static constexpr unsigned width = sizeof(T) * 8;
    static constexpr value_names names{};
    static constexpr wire_value to_wire(T v) { return {0, v}; }
    static constexpr T from_wire(wire_value w) { return static_cast<T>(w.low); }
};

namespace detail {
template <unsigned N>
using least_uint = std::conditional_t<
    N <= 8, std::uint8_t,
    std::conditional_t<N <= 16, std::uint16_t, std::conditional_t<N <= 32, std::uint32_t, std::uint64_t>>>;
}

template <unsigned N>
struct value_traits<bits<N>> {
    using native = detail::least_uint<N>;
    static constexpr auto kind = value_kind::number;
    static constexpr unsigned width = N;
    static constexpr value_names names{};
    static constexpr wire_value to_wire(native v) { return {0, v}; }
    static constexpr native from_wire(wire_value w) { return static_cast<native>(w.low); }
};

template <class T, class Names>
struct value_traits<enumerated<T, Names>> {
    using native = enumerated<T, Names>;
    static constexpr auto kind = value_kind::number;
    static constexpr unsigned width = sizeof(T) * 8;
    static constexpr value_names names{Names::names};
    static constexpr wire_value to_wire(native v) { return {0, v.value}; }
    static constexpr native from_wire(wire_value w) { return native(static_cast<T>(w.low)); }
};

template <class Names>
struct value_traits<flag_set<Names>> {
    using native = flag_set<Names>;
    static constexpr auto kind = value_kind::flags;
    static constexpr unsigned width = native::width;
    static constexpr auto table = [] {
        std::array<value_name, width> t{};
        for (unsigned i = 0; i < width; ++i) t[i] = {std::uint64_t(1) << i, Names::names[i]};
        return t;
    }();
    static constexpr value_names names{table};
    static constexpr wire_value to_wire(native v) { return {0, v.value}; }
    static constexpr native from_wire(wire_value w) { return native(static_cast<std::uint16_t>(w.low)); }
};

template <>
struct value_traits<ipv4> {
    using native = ipv4;
    static constexpr auto kind = value_kind::ipv4;
    static constexpr unsigned width = 32;
    static constexpr value_names names{};
    static constexpr wire_value to_wire(ipv4 v) { return {0, v.value}; }
    static constexpr ipv4 from_wire(wire_value w) { return ipv4(static_cast<std::uint32_t>(w.low)); }
};

template <>
struct value_traits<ipv6> {
    using native = ipv6;
    static constexpr auto kind = value_kind::ipv6;
    static constexpr unsigned width = 128;
    static constexpr value_names names{};
    static constexpr wire_value to_wire(ipv6 const& v) { return {v.high(), v.low()}; }
    static constexpr ipv6 from_wire(wire_value w) { return ipv6::from_halves(w.high, w.low); }
};

template <>
struct value_traits<mac> {
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
};

template <>
struct value_traits<octets> {
    using native = octets;
    static constexpr auto kind = value_kind::octets;
    static constexpr unsigned width = 0;
    static constexpr value_names names{};
};

}  // namespace sonde
