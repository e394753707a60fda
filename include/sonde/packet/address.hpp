#pragma once

#include <sonde/error.hpp>

#include <boost/endian/conversion.hpp>

#include <array>
#include <bit>
#include <compare>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

SONDE_NAMESPACE_BEGIN

/// Text whose length is known only at run time: std::string, std::string_view, char const*. Not a literal,
/// which is checked when the program is compiled.
template <class S>
concept runtime_text =
    std::convertible_to<S const&, std::string_view> && !std::is_array_v<std::remove_cvref_t<S>>;

namespace detail {

constexpr int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// A decimal number of at most `limit`, without sign or leading blanks; nullopt when `s` is anything else.
constexpr std::optional<std::uint32_t> decimal(std::string_view s, std::uint32_t limit) {
    if (s.empty() || s.size() > 10) return {};
    std::uint64_t value = 0;
    for (char c : s) {
        if (c < '0' || c > '9') return {};
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value > limit) return {};
    return static_cast<std::uint32_t>(value);
}

}  // namespace detail

/// An IPv4 address. `value` is in host order, so that addresses count and compare as numbers do.
struct ipv4 {
    std::uint32_t value = 0;  ///< in host order: 127.0.0.1 is 0x7f000001

    /// 0.0.0.0
    constexpr ipv4() = default;
    /// The address of a number in host order.
    constexpr explicit ipv4(std::uint32_t host_order) : value(host_order) {}
    /// Four decimal octets, checked at compile time.
    template <std::size_t N>
    consteval ipv4(char const (&text)[N]) : ipv4(parsed(std::string_view(text, N - 1))) {}
    /// The same at run time; throws `error` (bad_text) that names the text.
    template <runtime_text S>
    constexpr ipv4(S const& text) : ipv4(parsed(text)) {}

    /// Four decimal octets (RFC 1123 §2.1), or nothing.
    static constexpr std::optional<ipv4> parse(std::string_view s) {
        std::uint32_t value = 0;
        for (int octet = 0; octet < 4; ++octet) {
            auto end = octet < 3 ? s.find('.') : s.size();
            if (end == s.npos) return {};
            auto digits = s.substr(0, end);
            auto n = digits.size() <= 3 ? detail::decimal(digits, 255) : std::nullopt;
            if (!n) return {};
            value = value << 8 | *n;
            s.remove_prefix(octet < 3 ? end + 1 : end);
        }
        return ipv4(value);
    }

    /// 127.0.0.0/8 (RFC 1122 §3.2.1.3)
    constexpr bool is_loopback() const { return value >> 24 == 127; }
    /// 224.0.0.0/4 (RFC 1112 §4)
    constexpr bool is_multicast() const { return value >> 28 == 14; }
    /// 255.255.255.255 (RFC 919 §7); the address does not tell whether it is a network's own broadcast.
    constexpr bool is_broadcast() const { return value == 0xffffffff; }
    /// 0.0.0.0 alone, not all of 0.0.0.0/8.
    constexpr bool is_unspecified() const { return value == 0; }

    /// Four decimal octets; `parse` reads them back.
    std::string to_string() const;
    /// As numbers.
    friend constexpr auto operator<=>(ipv4, ipv4) = default;

private:
    static constexpr ipv4 parsed(std::string_view s) {
        auto a = parse(s);
        if (!a) throw_error(errc::bad_text, "IPv4 address \"" + std::string(s) + "\"");
        return *a;
    }
};

/// An IPv6 address, in network order.
struct ipv6 {
    std::array<std::uint8_t, 16> octets{};  ///< as on the wire

    /// `::`
    constexpr ipv6() = default;
    /// The address of octets as on the wire.
    constexpr explicit ipv6(std::array<std::uint8_t, 16> network_order) : octets(network_order) {}
    /// RFC 4291 §2.2 text, checked at compile time.
    template <std::size_t N>
    consteval ipv6(char const (&text)[N]) : ipv6(parsed(std::string_view(text, N - 1))) {}
    /// The same at run time; throws `error` (bad_text) that names the text.
    template <runtime_text S>
    constexpr ipv6(S const& text) : ipv6(parsed(text)) {}

    /// RFC 4291 §2.2 text (`::` once, a dotted IPv4 tail), or nothing.
    static constexpr std::optional<ipv6> parse(std::string_view s) {
        std::array<std::uint16_t, 8> groups{};
        int count = 0, gap = -1;
        if (s.starts_with("::")) {
            gap = 0;
            s.remove_prefix(2);
        }
        while (!s.empty()) {
            if (count == 8) return {};
            auto end = s.find(':');
            auto word = s.substr(0, end);
            if (word.find('.') != word.npos) {  // the last 32 bits, dotted
                auto tail = ipv4::parse(word);
                if (!tail || end != s.npos || count > 6) return {};
                groups[static_cast<std::size_t>(count++)] = static_cast<std::uint16_t>(tail->value >> 16);
                groups[static_cast<std::size_t>(count++)] = static_cast<std::uint16_t>(tail->value);
                break;
            }
            if (word.empty() || word.size() > 4) return {};
            unsigned group = 0;
            for (char c : word) {
                int digit = detail::hex_digit(c);
                if (digit < 0) return {};
                group = group << 4 | static_cast<unsigned>(digit);
            }
            groups[static_cast<std::size_t>(count++)] = static_cast<std::uint16_t>(group);
            if (end == s.npos) break;
            s.remove_prefix(end + 1);
            if (s.starts_with(':')) {
                if (gap >= 0) return {};
                gap = count;
                s.remove_prefix(1);
            } else if (s.empty()) {
                return {};
            }
        }
        if (gap < 0 ? count != 8 : count > 7) return {};
        ipv6 address;
        for (int i = 0; i < count; ++i) {
            auto to = static_cast<std::size_t>(gap >= 0 && i >= gap ? 8 - count + i : i);
            auto group = groups[static_cast<std::size_t>(i)];
            address.octets[2 * to] = static_cast<std::uint8_t>(group >> 8);
            address.octets[2 * to + 1] = static_cast<std::uint8_t>(group);
        }
        return address;
    }

    /// The first 64 bits, as a number.
    constexpr std::uint64_t high() const { return half(0); }
    /// The last 64 bits, as a number: the interface identifier of most unicast addresses (RFC 4291 §2.5.1).
    constexpr std::uint64_t low() const { return half(1); }
    /// The reverse of `high` and `low`.
    static constexpr ipv6 from_halves(std::uint64_t high, std::uint64_t low) {
        using boost::endian::native_to_big;
        return std::bit_cast<ipv6>(std::array{native_to_big(high), native_to_big(low)});
    }

    /// ::1 (RFC 4291 §2.5.3)
    constexpr bool is_loopback() const { return high() == 0 && low() == 1; }
    /// ff00::/8 (RFC 4291 §2.7)
    constexpr bool is_multicast() const { return octets[0] == 0xff; }
    /// fe80::/10 (RFC 4291 §2.4)
    constexpr bool is_link_local() const { return octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80; }
    /// `::` (RFC 4291 §2.5.2)
    constexpr bool is_unspecified() const { return high() == 0 && low() == 0; }

    /// RFC 5952 text.
    std::string to_string() const;
    /// Octet by octet, which is as numbers.
    friend constexpr auto operator<=>(ipv6 const&, ipv6 const&) = default;

private:
    constexpr std::uint64_t half(std::size_t which) const {
        return boost::endian::big_to_native(std::bit_cast<std::array<std::uint64_t, 2>>(octets)[which]);
    }
    static constexpr ipv6 parsed(std::string_view s) {
        auto a = parse(s);
        if (!a) throw_error(errc::bad_text, "IPv6 address \"" + std::string(s) + "\"");
        return *a;
    }
};

/// An EUI-48 hardware address.
struct mac {
    std::array<std::uint8_t, 6> octets{};  ///< as on the wire

    /// 00:00:00:00:00:00
    constexpr mac() = default;
    /// The address of octets as on the wire.
    constexpr explicit mac(std::array<std::uint8_t, 6> o) : octets(o) {}
    /// Six hexadecimal octets with colons, checked at compile time.
    template <std::size_t N>
    consteval mac(char const (&text)[N]) : mac(parsed(std::string_view(text, N - 1))) {}
    /// The same at run time; throws `error` (bad_text) that names the text.
    template <runtime_text S>
    constexpr mac(S const& text) : mac(parsed(text)) {}

    /// Six octets of one or two hexadecimal digits, separated by colons, or nothing.
    static constexpr std::optional<mac> parse(std::string_view s) {
        mac address;
        for (std::size_t i = 0; i < 6; ++i) {
            auto end = i < 5 ? s.find(':') : s.size();
            if (end == s.npos || end == 0 || end > 2) return {};
            unsigned octet = 0;
            for (char c : s.substr(0, end)) {
                int digit = detail::hex_digit(c);
                if (digit < 0) return {};
                octet = octet << 4 | static_cast<unsigned>(digit);
            }
            address.octets[i] = static_cast<std::uint8_t>(octet);
            s.remove_prefix(i < 5 ? end + 1 : end);
        }
        return address;
    }

    /// ff:ff:ff:ff:ff:ff, all stations of the link.
    static constexpr mac broadcast() {
        return mac(std::array<std::uint8_t, 6>{255, 255, 255, 255, 255, 255});
    }
    /// Multicast or broadcast: the lowest bit of the first octet, the first on the wire (IEEE 802).
    constexpr bool is_group() const { return octets[0] & 1; }
    /// 00:00:00:00:00:00
    constexpr bool is_unspecified() const { return *this == mac(); }

    /// Six times two lower-case hexadecimal digits, with colons between.
    std::string to_string() const;
    /// Octet by octet.
    friend constexpr auto operator<=>(mac const&, mac const&) = default;

private:
    static constexpr mac parsed(std::string_view s) {
        auto a = parse(s);
        if (!a) throw_error(errc::bad_text, "MAC address \"" + std::string(s) + "\"");
        return *a;
    }
};

/// An address of either family, as routes and neighbours know it.
class ip_address {
public:
    /// 0.0.0.0
    constexpr ip_address() = default;
    /// An address of its family. An IPv4-mapped one (::ffff:192.0.2.1) stays IPv6.
    /// @{
    constexpr ip_address(ipv4 a) : v6_(ipv6::from_halves(0, a.value)), is_v6_(false) {}
    constexpr ip_address(ipv6 const& a) : v6_(a), is_v6_(true) {}
    /// @}

    /// Either family's text, or nothing.
    static constexpr std::optional<ip_address> parse(std::string_view s) {
        if (auto a = ipv4::parse(s)) return ip_address(*a);
        if (auto a = ipv6::parse(s)) return ip_address(*a);
        return {};
    }

    /// Which family it is of.
    /// @{
    constexpr bool is_v4() const { return !is_v6_; }
    constexpr bool is_v6() const { return is_v6_; }
    /// @}
    /// The IPv4 address; not to be asked of IPv6, of which it is the last 32 bits.
    constexpr ipv4 v4() const { return ipv4(static_cast<std::uint32_t>(v6_.low())); }
    /// The IPv6 address; not to be asked of IPv4, of which it is `::` with that in the last 32 bits.
    constexpr ipv6 const& v6() const { return v6_; }
    /// As `ipv4` and `ipv6` say of their own.
    /// @{
    constexpr bool is_multicast() const { return is_v6_ ? v6_.is_multicast() : v4().is_multicast(); }
    constexpr bool is_loopback() const { return is_v6_ ? v6_.is_loopback() : v4().is_loopback(); }
    constexpr bool is_unspecified() const { return v6_.is_unspecified(); }

    std::string to_string() const { return is_v6_ ? v6_.to_string() : v4().to_string(); }
    /// @}
    /// As numbers; of equal ones IPv4 is first. An order of both families, for containers.
    friend constexpr auto operator<=>(ip_address const&, ip_address const&) = default;

private:
    ipv6 v6_;  // an IPv4 address is its low 32 bits
    bool is_v6_ = false;
};

/// What is special about an address by itself, on any network (IANA's special-purpose registries). Each class
/// but `unicast` is one block of each family, so an interval with both ends in it lies in it.
enum class address_class : std::uint8_t {
    unicast,      ///< a host, as far as the address tells
    unspecified,  ///< 0.0.0.0/8 and ::, "this host": nobody's destination
    loopback,     ///< 127.0.0.0/8 and ::1
    multicast,    ///< 224.0.0.0/4 and ff00::/8
    broadcast,    ///< 255.255.255.255; what a network's broadcast is only its hosts know
};
/// The class that the address lies in.
constexpr address_class address_class_of(ip_address const& a) {
    if (a.is_multicast()) return address_class::multicast;
    if (a.is_loopback()) return address_class::loopback;
    if (a.is_v4() ? a.v4().value >> 24 == 0 : a.is_unspecified()) return address_class::unspecified;
    return a.is_v4() && a.v4().is_broadcast() ? address_class::broadcast : address_class::unicast;
}

SONDE_NAMESPACE_END
