#pragma once

#include <sonde/packet/packet.hpp>

namespace sonde {

/// UDP (RFC 768). `sport` is the engine's own in `sr*`, else 53; `dport` from the layer inside, else 53. A
/// computed checksum of zero is sent as 0xffff (RFC 768, RFC 8200 §8.1).
struct UDP {
    field<std::uint16_t, 53> dport{};
    field<std::uint16_t, 53> sport{};
    field<std::uint16_t> len{};
    field<std::uint16_t> chksum{};
};
SONDE_DECLARE_LAYER(UDP, sport, dport, len, chksum)
layer_hooks hooks(UDP const*);

using UDPerror = quoted<UDP>;

}  // namespace sonde
