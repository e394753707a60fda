#pragma once

#include <sonde/packet/packet.hpp>

SONDE_NAMESPACE_BEGIN

/// Scapy's fuzz(): every field that holds its default becomes random within its type, drawn anew for each
/// packet that is sent or built; what was set to another value stays, and so do lengths, checksums, and what
/// says which layer follows, so that the packet is well-formed around its contents.
///
///     net.send(IP{.dst = "198.18.0.1"} / fuzz(UDP{} / DNS{}), {.count = 1000});
///
/// Options, payloads and addresses that the kernel chooses stay as well. Threads: safe.
packet fuzz(packet p);
/// The same of one layer.
template <layer L>
packet fuzz(L const& l) {
    return fuzz(packet(l));
}

SONDE_NAMESPACE_END
