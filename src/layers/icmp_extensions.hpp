#pragma once

#include <sonde/packet/layer.hpp>

// RFC 4884: what ICMP errors of both families do about the extensions behind their quote.
namespace sonde::inline v0::detail {

/// Where the quote ends and whether extensions follow it. `stated`: bytes of the quote by the `length` field.
void bound_quote(dissect_step& step, std::size_t stated);

/// Bytes between an error's header and the extensions behind it; 0 without extensions.
std::size_t extended_quote_size(layer_view const& error);

/// The `length` field, which counts units of `Unit` bytes.
template <auto Length, std::size_t Unit>
void finish_quote_length(build_step& step) {
    if (step.is_automatic<Length>()) step.fill<Length>(extended_quote_size(step.view()) / Unit);
}

}  // namespace sonde::inline v0::detail
