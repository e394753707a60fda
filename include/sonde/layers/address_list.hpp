#pragma once

#include <sonde/layers/raw.hpp>

#include <span>

SONDE_NAMESPACE_BEGIN

/// IPv4 addresses one behind the other: `["192.0.2.1", "192.0.2.2"]`. Inside: up to 64.
struct ipv4_list : encoded_list<256> {
    ipv4_list() = default;
    /// These, copied. Throws header_too_long over 64.
    /// @{
    template <std::convertible_to<ipv4>... A>
        requires(sizeof...(A) > 0)
    ipv4_list(A const&... address) {
        (add(address), ...);
    }
    ipv4_list(std::span<ipv4 const> addresses) {
        for (auto a : addresses) add(a);
    }
    /// @}
    /// As expressions have it: a list of texts; bytes behind the last whole address stay bytes.
    static option_codec const& codec();

private:
    void add(ipv4 address);
};

/// IPv6 addresses one behind the other. Inside: up to 32.
struct ipv6_list : encoded_list<512> {
    ipv6_list() = default;
    /// These, copied. Throws header_too_long over 32.
    /// @{
    template <std::convertible_to<ipv6>... A>
        requires(sizeof...(A) > 0)
    ipv6_list(A const&... address) {
        (add(address), ...);
    }
    ipv6_list(std::span<ipv6 const> addresses) {
        for (auto const& a : addresses) add(a);
    }
    /// @}
    /// As that of `ipv4_list`.
    static option_codec const& codec();

private:
    void add(ipv6 const& address);
};

SONDE_NAMESPACE_END
