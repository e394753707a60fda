#pragma once

#include <sonde/layers/address_list.hpp>

SONDE_NAMESPACE_BEGIN

/// Who speaks, a client or a server (RFC 951 §3). Scapy's names.
struct bootp_operations {
    /// What is printed, and read as text.
    static constexpr std::array<value_name, 2> names{{{1, "BOOTREQUEST"}, {2, "BOOTREPLY"}}};
};
/// Flags, the lowest first: only the highest has a meaning, answers are to be broadcast (RFC 1542 §3.1.1).
/// Scapy's names.
struct bootp_flag_names {
    /// Text runs them together: "B".
    static constexpr std::array<std::string_view, 16> names{"?", "?", "?", "?", "?", "?", "?", "?",
                                                            "?", "?", "?", "?", "?", "?", "?", "B"};
};

/// BOOTP (RFC 951, RFC 1542), which carries DHCP. An answer is a BOOTREPLY with the same `xid` and `chaddr`
/// (RFC 2131 §4.3.1), of whoever it comes from when the question went to all; to a client without an address
/// it may go to any that is no group's (RFC 2131 §4.1).
struct BOOTP {
    field<octets> chaddr = "";   ///< hardware address of the client: 16 bytes, padded with zeros or cut
    field<std::uint32_t> xid{};  ///< automatic: each attempt's own in `sr*`, else 0
    field<enumerated<std::uint8_t, bootp_operations>> op = 1;  ///< BOOTREQUEST
    field<flag_set<bootp_flag_names>> flags = 0;               ///< "B": answer by broadcast
    /// The client's own address, if it has one; the one that it is given; the next server's; the relay's.
    /// @{
    field<ipv4> ciaddr = ipv4(), yiaddr = ipv4(), siaddr = ipv4(), giaddr = ipv4();
    /// @}
    /// Type of the hardware address, as in ARP (1: Ethernet), its bytes; relays passed so far.
    /// @{
    field<std::uint8_t> htype = 1, hlen = 6, hops = 0;
    /// @}
    field<std::uint16_t> secs = 0;  ///< seconds since the client began
    /// Name of the server, and of the file to boot from; 64 and 128 bytes, padded with zeros or cut.
    /// @{
    field<octets> sname = "", file = "";
    /// @}
    /// What follows. Automatic: the magic cookie of RFC 1497 before DHCP, else nothing; read: the cookie, or
    /// all when there is none.
    field<octets> options{};
};
SONDE_DECLARE_LAYER(BOOTP, op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr,
                    sname, file, options)
/// Identity, widths, DHCP behind the cookie, and matching.
layer_hooks hooks(BOOTP const*);

/// DHCP options (RFC 2132), encoded; 512 bytes inside, throws header_too_long above. In expressions, with
/// Scapy's names:
/// `[("message-type", "discover"), ("param_req_list", [1, 3, 6]), "end"]`.
struct dhcp_options : encoded_list<512> {
    dhcp_options() = default;
    /// Encoded options, copied as they are: code, length, data.
    dhcp_options(std::span<std::byte const> encoded) {
        append({reinterpret_cast<char const*>(encoded.data()), encoded.size()});
    }
    /// A list as expressions write it, in brackets. Throws bad_expression for what cannot be read, bad_text
    /// for an unknown option or a value of the wrong kind, value_out_of_range, and header_too_long for an
    /// option of over 255 bytes.
    /// @{
    dhcp_options(std::string_view list);
    template <std::size_t N>
    dhcp_options(char const (&list)[N]) : dhcp_options(std::string_view(list, N - 1)) {}
    /// @}
    static option_codec const& codec();  ///< tuples by name, or by number with bytes: `(250, b'x')`
};

/// DHCP (RFC 2131): `BOOTP{.chaddr = mac_octets} / DHCP{.options = "[('message-type', 'discover'), 'end']"}`.
struct DHCP {
    dhcp_options options{};  ///< as they are: not even `end` is added
};
SONDE_DECLARE_LAYER(DHCP, options)
layer_hooks hooks(DHCP const*);  ///< title, and the summary by message type

SONDE_NAMESPACE_END
