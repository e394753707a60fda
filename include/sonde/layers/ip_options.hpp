#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/ip.hpp>

SONDE_NAMESPACE_BEGIN

// IPv4 options as layers of their own, with Scapy's names: entries of IP's option list, in expressions
// (`IP(options=[IPOption_RR(routers=["0.0.0.0"])])`), in show(), command() and JSON. Each begins with its
// type octet (RFC 791 §3.1): whether fragments copy it, its class and its number. `length` automatic:
// computed.

/// Classes of IPv4 options (RFC 791 §3.1), as Scapy names them.
struct ip_option_classes {
    /// By number, ascending; 1 and 3 are reserved.
    static constexpr std::array<value_name, 2> names{{{0, "control"}, {2, "debug"}}};
};

/// Any option but the two of one octet: number, length, data. Entries of IP's option list read as this when
/// they have no layer of their own, or when that would not build the same octets.
///
/// All options are entries of that list, in expressions (`IP(options=[IPOption_RR(routers=["0.0.0.0"])])`),
/// in show(), command() and JSON.
struct IPOption {
    static constexpr std::string_view title = "IP Option";  ///< what show() calls it
    field<bits<1>> copy_flag = 0;  ///< 1: every fragment has the option, not the first alone
    field<bits<2>> optclass = 0;   ///< of `ip_option_classes`
    field<bits<5>> option = 0;     ///< number (IANA)
    field<std::uint8_t> length{};  ///< computed: octets of the option, type and length included
    field<octets> value{};         ///< all behind the length
};
SONDE_DECLARE_LAYER(IPOption, copy_flag, optclass, option, length, value)

/// End of the list (RFC 791).
struct IPOption_EOL {
    /// As in IPOption.
    /// @{
    static constexpr std::string_view title = "IP Option End of Options List";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 0;
    /// @}
};
SONDE_DECLARE_LAYER(IPOption_EOL, copy_flag, optclass, option)

/// Padding between options (RFC 791).
struct IPOption_NOP {
    /// As in IPOption.
    /// @{
    static constexpr std::string_view title = "IP Option No Operation";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 1;
    /// @}
};
SONDE_DECLARE_LAYER(IPOption_NOP, copy_flag, optclass, option)

/// Basic security (RFC 791's form).
struct IPOption_Security {
    /// As in IPOption; `length` is given, not computed.
    /// @{
    static constexpr std::string_view title = "IP Option Security";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 2;
    field<std::uint8_t> length = 11;
    /// @}
    /// The level (0: unclassified), the compartments (0: none), and codes of control and release markings.
    /// @{
    field<std::uint16_t> security = 0, compartment = 0, handling_restrictions = 0;
    /// @}
    field<octets> transmission_control_code = "xxx";  ///< 3 octets; other lengths leave `length` as it is
};
SONDE_DECLARE_LAYER(IPOption_Security, copy_flag, optclass, option, length, security, compartment,
                    handling_restrictions, transmission_control_code)

/// Record route (RFC 791).
struct IPOption_RR {
    /// As in IPOption.
    /// @{
    static constexpr std::string_view title = "IP Option Record Route";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 7;
    field<std::uint8_t> length{};
    /// @}
    /// Where the next router writes its address, counted from the type octet, which is 1. Beyond `length`:
    /// all places are taken.
    field<std::uint8_t> pointer = 4;
    /// Places for addresses, taken or free. IP's header has room for 9.
    ipv4_list routers{};
};
SONDE_DECLARE_LAYER(IPOption_RR, copy_flag, optclass, option, length, pointer, routers)

/// Loose source and record route (RFC 791).
struct IPOption_LSRR {
    /// As in IPOption.
    /// @{
    static constexpr std::string_view title = "IP Option Loose Source and Record Route";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 3;
    field<std::uint8_t> length{};
    /// @}
    /// Where the next address to go to stands, counted from the type octet, which is 1. Beyond `length`: the
    /// way is at its end.
    field<std::uint8_t> pointer = 4;
    /// The way: recorded as far as it has been gone, then what is ahead. IP's header has room for 9.
    ipv4_list routers{};
};
SONDE_DECLARE_LAYER(IPOption_LSRR, copy_flag, optclass, option, length, pointer, routers)

/// Strict source and record route (RFC 791).
struct IPOption_SSRR {
    /// As in IPOption.
    /// @{
    static constexpr std::string_view title = "IP Option Strict Source and Record Route";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 9;
    field<std::uint8_t> length{};
    /// @}
    /// Where the next address to go to stands, counted from the type octet, which is 1. Beyond `length`: the
    /// way is at its end.
    field<std::uint8_t> pointer = 4;
    /// The way: recorded as far as it has been gone, then what is ahead. IP's header has room for 9.
    ipv4_list routers{};
};
SONDE_DECLARE_LAYER(IPOption_SSRR, copy_flag, optclass, option, length, pointer, routers)

/// Stream identifier (RFC 791).
struct IPOption_Stream_Id {
    /// As in IPOption; `length` is given, not computed.
    /// @{
    static constexpr std::string_view title = "IP Option Stream ID";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 8;
    field<std::uint8_t> length = 4;
    /// @}
    field<std::uint16_t> security = 0;  ///< the stream's identifier, under Scapy's name
};
SONDE_DECLARE_LAYER(IPOption_Stream_Id, copy_flag, optclass, option, length, security)

/// MTU probe (RFC 1063).
struct IPOption_MTU_Probe {
    /// As in IPOption; `length` is given, not computed.
    /// @{
    static constexpr std::string_view title = "IP Option MTU Probe";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 11;
    field<std::uint8_t> length = 4;
    /// @}
    field<std::uint16_t> mtu = 0;  ///< the lowest on the way so far, in octets; routers lower it
};
SONDE_DECLARE_LAYER(IPOption_MTU_Probe, copy_flag, optclass, option, length, mtu)

/// MTU reply (RFC 1063).
struct IPOption_MTU_Reply {
    /// As in IPOption; `length` is given, not computed.
    /// @{
    static constexpr std::string_view title = "IP Option MTU Reply";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 12;
    field<std::uint8_t> length = 4;
    /// @}
    field<std::uint16_t> mtu = 0;  ///< what a probe brought, in octets, sent back
};
SONDE_DECLARE_LAYER(IPOption_MTU_Reply, copy_flag, optclass, option, length, mtu)

/// Traceroute (RFC 1393), whose type octet is 82, of class 2 (debug); `optclass` 0 is Scapy's default.
struct IPOption_Traceroute {
    /// As in IPOption; `length` is given, not computed.
    /// @{
    static constexpr std::string_view title = "IP Option Traceroute";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 18;
    field<std::uint8_t> length = 12;
    /// @}
    /// The originator's number for the trace, unrelated to IP's `id`; routers passed on the way there, and on
    /// the way back.
    /// @{
    field<std::uint16_t> id = 0, outbound_hops = 0, return_hops = 0;
    /// @}
    field<ipv4> originator_ip = ipv4();  ///< where routers send their ICMP traceroute messages
};
SONDE_DECLARE_LAYER(IPOption_Traceroute, copy_flag, optclass, option, length, id, outbound_hops, return_hops,
                    originator_ip)

/// Internet timestamp with one entry (RFC 791); others read as IPOption.
struct IPOption_Timestamp {
    /// As in IPOption.
    /// @{
    static constexpr std::string_view title = "IP Option Timestamp";
    field<bits<1>> copy_flag = 0;
    field<bits<2>> optclass = 2;
    field<bits<5>> option = 4;
    field<std::uint8_t> length{};
    /// @}
    /// Where the next entry goes, counted from the type octet, which is 1. Scapy's default; the first entry
    /// is at 5.
    field<std::uint8_t> pointer = 9;
    field<bits<4>> oflw = 0;  ///< hosts that found no room for their timestamp
    field<bits<4>> flg = 1;   ///< 0: timestamps alone; 1: with addresses; 3: of the addresses given
    field<ipv4> internet_address = ipv4();  ///< whose timestamp it is; not on the wire when `flg` is 0
    field<std::uint32_t> timestamp = 0;     ///< milliseconds since midnight UT; upper bit set: any other time
};
SONDE_DECLARE_LAYER(IPOption_Timestamp, copy_flag, optclass, option, length, pointer, oflw, flg,
                    internet_address, timestamp)

/// Address extension (RFC 1475).
struct IPOption_Address_Extension {
    /// As in IPOption; `length` is given, not computed.
    /// @{
    static constexpr std::string_view title = "IP Option Address Extension";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 19;
    field<std::uint8_t> length = 10;
    /// @}
    /// What makes longer addresses of IP's `src` and `dst`: 4 octets each, written as an address.
    /// @{
    field<ipv4> src_ext = ipv4(), dst_ext = ipv4();
    /// @}
};
SONDE_DECLARE_LAYER(IPOption_Address_Extension, copy_flag, optclass, option, length, src_ext, dst_ext)

/// Router alert (RFC 2113).
struct IPOption_Router_Alert {
    /// As in IPOption; `length` is given, not computed.
    /// @{
    static constexpr std::string_view title = "IP Option Router Alert";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 20;
    field<std::uint8_t> length = 4;
    /// @}
    field<std::uint16_t> alert = 0;  ///< 0: every router shall examine the packet; others: IANA
};
SONDE_DECLARE_LAYER(IPOption_Router_Alert, copy_flag, optclass, option, length, alert)

/// Selective directed broadcast (RFC 1770).
struct IPOption_SDBM {
    /// As in IPOption.
    /// @{
    static constexpr std::string_view title = "IP Option Selective Directed Broadcast Mode";
    field<bits<1>> copy_flag = 1;
    field<bits<2>> optclass = 0;
    field<bits<5>> option = 21;
    field<std::uint8_t> length{};
    /// @}
    ipv4_list addresses{};  ///< the destinations, up to 9
};
SONDE_DECLARE_LAYER(IPOption_SDBM, copy_flag, optclass, option, length, addresses)

/// The hooks that all of them share: names of classes and numbers, size, and `length` where it is left
/// automatic.
layer_hooks ip_option_hooks(std::string_view title);
/// Those of the option itself: by its `title`.
template <class Option>
    requires requires { Option::title; }
layer_hooks hooks(Option const*) {
    return ip_option_hooks(Option::title);
}

SONDE_NAMESPACE_END
