#pragma once

#include <sonde/layers/address_list.hpp>

namespace sonde {

struct bootp_operations {
    static constexpr std::array<value_name, 2> names{{{1, "BOOTREQUEST"}, {2, "BOOTREPLY"}}};
};
struct bootp_flag_names {
    static constexpr std::array<std::string_view, 16> names{"?", "?", "?", "?", "?", "?", "?", "?",
                                                            "?", "?", "?", "?", "?", "?", "?", "B"};
};

/// BOOTP (RFC 951, RFC 1542), which carries DHCP: below it, `options` is the magic cookie of RFC 1497. `xid`
/// is the engine's own in `sr*`, else 0; an answer has the same (RFC 2131 §4.4.1), whatever addresses it
/// comes from and goes to. `chaddr`, `sname` and `file` are padded to 16, 64 and 128 bytes. `secs` in
/// seconds.
struct BOOTP {
    field<octets> chaddr = "";
    field<std::uint32_t> xid{};
    field<enumerated<std::uint8_t, bootp_operations>> op = 1;
    field<flag_set<bootp_flag_names>> flags = 0;
    field<ipv4> ciaddr = ipv4(), yiaddr = ipv4(), siaddr = ipv4(), giaddr = ipv4();
    field<std::uint8_t> htype = 1, hlen = 6, hops = 0;
    field<std::uint16_t> secs = 0;
    field<octets> sname = "", file = "";
    field<octets> options{};
};
SONDE_DECLARE_LAYER(BOOTP, op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr,
                    sname, file, options)
layer_hooks hooks(BOOTP const*);

/// DHCP options (RFC 2132), encoded. In expressions, with Scapy's names:
/// `[("message-type", "discover"), ("param_req_list", [1, 3, 6]), "end"]`.
struct dhcp_options : encoded_list<512> {
    dhcp_options() = default;
    /// Encoded options.
    dhcp_options(std::span<std::byte const> encoded) {
        append({reinterpret_cast<char const*>(encoded.data()), encoded.size()});
    }
    /// A list as expressions write it.
    dhcp_options(std::string_view list);
    template <std::size_t N>
    dhcp_options(char const (&list)[N]) : dhcp_options(std::string_view(list, N - 1)) {}
    static option_codec const& codec();
};

/// DHCP (RFC 2131): `BOOTP{.chaddr = mac_octets} / DHCP{.options = "[('message-type', 'discover'), 'end']"}`.
struct DHCP {
    dhcp_options options{};
};
SONDE_DECLARE_LAYER(DHCP, options)
layer_hooks hooks(DHCP const*);

}  // namespace sonde
