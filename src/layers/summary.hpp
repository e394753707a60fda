#pragma once

#include <sonde/packet/text.hpp>

namespace sonde::inline v0::detail {

/// What show() prints for a field: `shown<&TCP::sport>(layer)`.
template <auto Member>
std::string shown(layer_view const& layer) {
    return shown_text(layer, field_index<Member>);
}

/// "192.0.2.1:1024 > 192.0.2.2:http": with the addresses of an IP layer below, if there is one. Ports may be
/// empty.
std::string shown_ends(layer_view const& upper, std::string_view source = {},
                       std::string_view destination = {});

}  // namespace sonde::inline v0::detail
