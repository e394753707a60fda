#pragma once

#include <sonde/packet/value.hpp>

namespace sonde::inline v0::detail {

/// The services that people probe, as /etc/services and Scapy name them.
// clang-format off
inline constexpr value_name tcp_services[] = {
    {1, "tcpmux"}, {7, "echo"}, {9, "discard"}, {11, "systat"}, {13, "daytime"}, {19, "chargen"},
    {20, "ftp_data"}, {21, "ftp"}, {22, "ssh"}, {23, "telnet"}, {25, "smtp"}, {37, "time"}, {43, "whois"},
    {49, "tacacs"}, {53, "domain"}, {70, "gopher"}, {79, "finger"}, {80, "http"}, {88, "kerberos"},
    {102, "iso_tsap"}, {110, "pop3"}, {111, "sunrpc"}, {113, "auth"}, {119, "nntp"}, {135, "epmap"},
    {139, "netbios_ssn"}, {143, "imap2"}, {161, "snmp"}, {162, "snmp_trap"}, {163, "cmip_man"},
    {179, "bgp"}, {389, "ldap"}, {427, "svrloc"}, {443, "https"}, {444, "snpp"}, {445, "microsoft_ds"},
    {464, "kpasswd"}, {465, "submissions"}, {514, "shell"}, {515, "printer"}, {543, "klogin"},
    {544, "kshell"}, {548, "afpovertcp"}, {554, "rtsp"}, {563, "nntps"}, {587, "submission"}, {631, "ipp"},
    {636, "ldaps"}, {749, "kerberos_adm"}, {853, "domain_s"}, {873, "rsync"}, {989, "ftps_data"},
    {990, "ftps"}, {993, "imaps"}, {995, "pop3s"}, {1080, "socks"}, {1099, "rmiregistry"},
    {1194, "openvpn"}, {1433, "ms_sql_s"}, {1812, "radius"}, {1813, "radius_acct"}, {2049, "nfs"},
    {3260, "iscsi_target"}, {3306, "mysql"}, {3389, "ms_wbt_server"}, {3493, "nut"}, {3690, "svn"},
    {4369, "epmd"}, {5060, "sip"}, {5061, "sip_tls"}, {5222, "xmpp_client"}, {5269, "xmpp_server"},
    {5432, "postgresql"}, {5671, "amqps"}, {5672, "amqp"}, {6000, "x11"}, {6379, "redis"},
    {6514, "syslog_tls"}, {8080, "http_alt"}, {8088, "omniorb"}};

inline constexpr value_name udp_services[] = {
    {7, "echo"}, {9, "discard"}, {13, "daytime"}, {19, "chargen"}, {37, "time"}, {49, "tacacs"},
    {53, "domain"}, {67, "bootps"}, {68, "bootpc"}, {69, "tftp"}, {88, "kerberos"}, {111, "sunrpc"},
    {123, "ntp"}, {137, "netbios_ns"}, {138, "netbios_dgm"}, {161, "snmp"}, {162, "snmp_trap"},
    {177, "xdmcp"}, {389, "ldap"}, {427, "svrloc"}, {443, "https"}, {464, "kpasswd"}, {500, "isakmp"},
    {514, "syslog"}, {520, "route"}, {546, "dhcpv6_client"}, {547, "dhcpv6_server"}, {554, "rtsp"},
    {636, "ldaps"}, {853, "domain_s"}, {1194, "openvpn"}, {1701, "l2f"}, {1812, "radius"},
    {1813, "radius_acct"}, {2049, "nfs"}, {4500, "ipsec_nat_t"}, {5060, "sip"}, {5061, "sip_tls"},
    {5353, "mdns"}};
// clang-format on

}  // namespace sonde::inline v0::detail
