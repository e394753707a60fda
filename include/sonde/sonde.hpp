#pragma once

/// Packets, layers, and the network's verbs; what a coroutine that awaits them is written with, and what
/// prints their results, durations too. JSON, tools and simulations have headers of their own.

#include <sonde/capture/capture_file.hpp>
#include <sonde/capture/capture_writer.hpp>
#include <sonde/error.hpp>
#include <sonde/layers/arp.hpp>
#include <sonde/layers/asn1.hpp>
#include <sonde/layers/dhcp.hpp>
#include <sonde/layers/dns.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/fragment.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmp_extensions.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/icmpv6_nd.hpp>
#include <sonde/layers/igmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/ipv6_ext.hpp>
#include <sonde/layers/link_types.hpp>
#include <sonde/layers/mld.hpp>
#include <sonde/layers/nbns.hpp>
#include <sonde/layers/ntp.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/layers/reassembly.hpp>
#include <sonde/layers/sctp.hpp>
#include <sonde/layers/snmp.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/tunnels.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/net/network.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/format.hpp>
#include <sonde/packet/fuzz.hpp>
#include <sonde/packet/match.hpp>
#include <sonde/packet/packet.hpp>
#include <sonde/packet/packet_set.hpp>
#include <sonde/packet/packet_template.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/chrono.h>
