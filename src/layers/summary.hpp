#pragma once

#include <sonde/packet/view.hpp>

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

/// "192.0.2.1:1024 > 192.0.2.2:80", or the ports alone without an IP layer below.
void summarize_ends(layer_view const& transport, std::uint16_t source, std::uint16_t destination,
                    std::string& out);

/// "192.0.2.1 > 192.0.2.2 ", or nothing without an IP layer below.
void summarize_addresses(layer_view const& upper, std::string& out);

}  // namespace sonde::detail
