#include "layer_name.hpp"
#include "printable.hpp"

#include <sonde/packet/text.hpp>

namespace sonde::inline v0 {

std::string summary(packet const& p) {
    detail::printable const printable(p);
    auto const view = printable.told();
    // As Scapy: the innermost layer that can describe itself does, around it the names suffice.
    bool described = false;
    std::string line;
    for (auto i = view.layers.size(); i-- > 0;) {
        layer_view layer(view, i);
        std::string text;
        auto const& span = layer.span();
        if (!described && !detail::is_named_as_quoted(layer) && !span.truncated &&
            span.layer->hooks.summarize) {
            span.layer->hooks.summarize(layer, text);
            described = !text.empty();
        }
        if (text.empty()) text = detail::is_unreadable(layer) ? "Raw" : detail::name_in_packet(layer);
        if (!line.empty()) text += " / ";
        line.insert(0, text);
    }
    return line;
}

}  // namespace sonde::inline v0
