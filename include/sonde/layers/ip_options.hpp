#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/ip.hpp>

namespace sonde {

/// IPv4 options as layers of their own, with Scapy's names: entries of IP's option list, in expressions
/// (`IP(options=[IPOption_RR(routers=["0.0.0.0"])])`), in show(), command() and JSON. Each begins with its
/// type octet (RFC 791 §3.1): whether fragments copy it, its class and its number. `length` automatic:
/// computed.

struct ip_option_classes {
    static constexpr std::array<value_name, 2> names{{{0, "control"}, {2, "debug"}}};
};

/// Any option but the two of one octet: number, length, data.
struct IPOption {
    static constexpr std::string_view title = "IP Option";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 0;
    field<std::uint8_t> length{};
    field<octets> value{};
};
SONDE_DECLARE_LAYER(IPOption, copy_flag, optclass, option, length, value)

/// End of the list (RFC 791).
struct IPOption_EOL {
    static constexpr std::string_view title = "IP Option End of Options List";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 0;
};
SONDE_DECLARE_LAYER(IPOption_EOL, copy_flag, optclass, option)

/// Padding between options (RFC 791).
struct IPOption_NOP {
    static constexpr std::string_view title = "IP Option No Operation";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 1;
};
SONDE_DECLARE_LAYER(IPOption_NOP, copy_flag, optclass, option)

/// Basic security (RFC 791's form).
struct IPOption_Security {
    static constexpr std::string_view title = "IP Option Security";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 2;
    field<std::uint8_t> length = 11;
    field<std::uint16_t> security = 0, compartment = 0, handling_restrictions = 0;
    field<octets> transmission_control_code = "xxx";
};
SONDE_DECLARE_LAYER(IPOption_Security, copy_flag, optclass, option, length, security, compartment,
                    handling_restrictions, transmission_control_code)

/// Record route (RFC 791). `pointer` counts octets from the option's first, which is 1.
struct IPOption_RR {
    static constexpr std::string_view title = "IP Option Record Route";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 7;
    field<std::uint8_t> length{};
    field<std::uint8_t> pointer = 4;
    ipv4_list routers{};
};
SONDE_DECLARE_LAYER(IPOption_RR, copy_flag, optclass, option, length, pointer, routers)

/// Loose source and record route (RFC 791).
struct IPOption_LSRR {
    static constexpr std::string_view title = "IP Option Loose Source and Record Route";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 3;
    field<std::uint8_t> length{};
    field<std::uint8_t> pointer = 4;
    ipv4_list routers{};
};
SONDE_DECLARE_LAYER(IPOption_LSRR, copy_flag, optclass, option, length, pointer, routers)

/// Strict source and record route (RFC 791).
struct IPOption_SSRR {
    static constexpr std::string_view title = "IP Option Strict Source and Record Route";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 9;
    field<std::uint8_t> length{};
    field<std::uint8_t> pointer = 4;
    ipv4_list routers{};
};
SONDE_DECLARE_LAYER(IPOption_SSRR, copy_flag, optclass, option, length, pointer, routers)

/// Stream identifier (RFC 791).
struct IPOption_Stream_Id {
    static constexpr std::string_view title = "IP Option Stream ID";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 8;
    field<std::uint8_t> length = 4;
    field<std::uint16_t> security = 0;
};
SONDE_DECLARE_LAYER(IPOption_Stream_Id, copy_flag, optclass, option, length, security)

/// MTU probe (RFC 1063).
struct IPOption_MTU_Probe {
    static constexpr std::string_view title = "IP Option MTU Probe";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 11;
    field<std::uint8_t> length = 4;
    field<std::uint16_t> mtu = 0;
};
SONDE_DECLARE_LAYER(IPOption_MTU_Probe, copy_flag, optclass, option, length, mtu)

/// MTU reply (RFC 1063).
struct IPOption_MTU_Reply {
    static constexpr std::string_view title = "IP Option MTU Reply";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 12;
    field<std::uint8_t> length = 4;
    field<std::uint16_t> mtu = 0;
};
SONDE_DECLARE_LAYER(IPOption_MTU_Reply, copy_flag, optclass, option, length, mtu)

/// Traceroute (RFC 1393).
struct IPOption_Traceroute {
    static constexpr std::string_view title = "IP Option Traceroute";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 18;
    field<std::uint8_t> length = 12;
    field<std::uint16_t> id = 0, outbound_hops = 0, return_hops = 0;
    field<ipv4> originator_ip = ipv4();
};
SONDE_DECLARE_LAYER(IPOption_Traceroute, copy_flag, optclass, option, length, id, outbound_hops, return_hops,
                    originator_ip)

/// Internet timestamp with one entry (RFC 791): overflow count and flag share an octet; the address is there
/// unless `flg` is 0.
struct IPOption_Timestamp {
    static constexpr std::string_view title = "IP Option Timestamp";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 2;
    field<bits<5>> option = 4;
    field<std::uint8_t> length{};
    field<std::uint8_t> pointer = 9;
    field<bits<4>> oflw = 0;
    field<bits<4>> flg = 1;
    field<ipv4> internet_address = ipv4();
    field<std::uint32_t> timestamp = 0;
};
SONDE_DECLARE_LAYER(IPOption_Timestamp, copy_flag, optclass, option, length, pointer, oflw, flg,
                    internet_address, timestamp)

/// Address extension (RFC 1475).
struct IPOption_Address_Extension {
    static constexpr std::string_view title = "IP Option Address Extension";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 19;
    field<std::uint8_t> length = 10;
    field<ipv4> src_ext = ipv4(), dst_ext = ipv4();
};
SONDE_DECLARE_LAYER(IPOption_Address_Extension, copy_flag, optclass, option, length, src_ext, dst_ext)

/// Router alert (RFC 2113). `alert` 0: every router shall examine the packet.
struct IPOption_Router_Alert {
    static constexpr std::string_view title = "IP Option Router Alert";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 20;
    field<std::uint8_t> length = 4;
    field<std::uint16_t> alert = 0;
};
SONDE_DECLARE_LAYER(IPOption_Router_Alert, copy_flag, optclass, option, length, alert)

/// Selective directed broadcast (RFC 1770).
struct IPOption_SDBM {
    static constexpr std::string_view title = "IP Option Selective Directed Broadcast Mode";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 21;
    field<std::uint8_t> length{};
    ipv4_list addresses{};
};
SONDE_DECLARE_LAYER(IPOption_SDBM, copy_flag, optclass, option, length, addresses)

/// The hooks that all of them share.
layer_hooks ip_option_hooks(std::string_view title);
template <class Option>
    requires requires { Option::title; }
layer_hooks hooks(Option const*) {
    return ip_option_hooks(Option::title);
}

}  // namespace sonde
