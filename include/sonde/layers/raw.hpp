#pragma once

#include <sonde/packet/packet.hpp>

SONDE_NAMESPACE_BEGIN

/// Bytes that no other layer explains: a payload. `Raw{"text"}`, `Raw{std::span(bytes)}`.
struct Raw {
    field<octets> load{};  ///< borrowed until the packet is made
};
SONDE_DECLARE_LAYER(Raw, load)

/// Bytes behind the end that a length field states, as short Ethernet frames have; no length counts them.
struct Padding {
    field<octets> load{};  ///< borrowed until the packet is made
};
SONDE_DECLARE_LAYER(Padding, load)

layer_hooks hooks(Raw const*);  ///< matching: any answers any
/// That it is padding.
inline layer_hooks hooks(Padding const*) {
    return {.is_padding = true};
}

SONDE_NAMESPACE_END
