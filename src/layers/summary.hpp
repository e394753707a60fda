#pragma once

#include <sonde/packet/text.hpp>

#include <cstdint>
#include <string>

namespace sonde::detail {

/// The services that people probe, as /etc/services and Scapy name them.
inline constexpr value_name services[] = {{7, "echo"},
                                          {9, "discard"},
                                          {13, "daytime"},
                                          {19, "chargen"},
                                          {20, "ftp_data"},
                                          {21, "ftp"},
                                          {22, "ssh"},
                                          {23, "telnet"},
                                          {25, "smtp"},
                                          {37, "time"},
                                          {43, "whois"},
                                          {49, "tacacs"},
                                          {53, "domain"},
                                          {67, "bootps"},
                                          {68, "bootpc"},
                                          {69, "tftp"},
                                          {79, "finger"},
                                          {80, "http"},
                                          {88, "kerberos"},
                                          {110, "pop3"},
                                          {111, "sunrpc"},
                                          {113, "auth"},
                                          {119, "nntp"},
                                          {123, "ntp"},
                                          {135, "epmap"},
                                          {137, "netbios_ns"},
                                          {138, "netbios_dgm"},
                                          {139, "netbios_ssn"},
                                          {143, "imap2"},
                                          {161, "snmp"},
                                          {162, "snmp_trap"},
                                          {179, "bgp"},
                                          {389, "ldap"},
                                          {443, "https"},
                                          {445, "microsoft_ds"},
                                          {465, "submissions"},
                                          {500, "isakmp"},
                                          {514, "shell"},
                                          {515, "printer"},
                                          {546, "dhcpv6_client"},
                                          {547, "dhcpv6_server"},
                                          {554, "rtsp"},
                                          {587, "submission"},
                                          {631, "ipp"},
                                          {636, "ldaps"},
                                          {853, "domain_s"},
                                          {873, "rsync"},
                                          {989, "ftps_data"},
                                          {990, "ftps"},
                                          {993, "imaps"},
                                          {995, "pop3s"},
                                          {1080, "socks"},
                                          {1194, "openvpn"},
                                          {1433, "ms_sql_s"},
                                          {1701, "l2f"},
                                          {1812, "radius"},
                                          {1813, "radius_acct"},
                                          {2049, "nfs"},
                                          {3306, "mysql"},
                                          {3389, "ms_wbt_server"},
                                          {4500, "ipsec_nat_t"},
                                          {5060, "sip"},
                                          {5061, "sip_tls"},
                                          {5222, "xmpp_client"},
                                          {5353, "mdns"},
                                          {5432, "postgresql"},
                                          {6379, "redis"},
                                          {8080, "http_alt"}};

/// What show() prints for a field: `shown<&TCP::sport>(layer)`.
template <auto Member>
std::string shown(layer_view const& layer) {
    return shown_text(layer, field_index<Member>);
}

/// "192.0.2.1:1024 > 192.0.2.2:http": with the addresses of an IP layer below, if there is one. Ports may be
/// empty.
std::string shown_ends(layer_view const& upper, std::string_view source = {},
                       std::string_view destination = {});

}  // namespace sonde::detail
