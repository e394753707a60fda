#include "answer_key.hpp"
#include "layers/group_address.hpp"
#include "registry.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/packet/build.hpp>

namespace sonde::inline v0 {

void detail::set_by_content(std::span<std::byte> bytes, std::span<layer_span const> layers,
                            std::size_t layer) {
    auto const& lower = layers[layer];
    if (layer + 1 < layers.size())
        for (auto const& s : registry::instance().settings_for(*lower.layer, *layers[layer + 1].layer)) {
            if (!(lower.automatic >> s.field & 1)) continue;
            auto header = bytes.subspan(lower.begin, lower.size());
            write_bits(header, locate(*lower.layer, s.field, header), {0, s.value});
        }
    if (!lower.layer->hooks.prepare) return;
    build_step step(bytes, layers, layer);
    lower.layer->hooks.prepare(step);
}

void finish(std::span<std::byte> bytes, std::span<layer_span const> layers) {
    for (std::size_t i = 0; i < layers.size(); ++i) detail::set_by_content(bytes, layers, i);
    for (auto i = layers.size(); i-- > 0;)
        if (layers[i].layer->hooks.finish) {
            build_step step(bytes, layers, i);
            layers[i].layer->hooks.finish(step);
        }
}

namespace {

/// Programs build many packets of few shapes.
detail::finisher& own_shapes() {
    thread_local detail::finisher shapes;
    return shapes;
}

/// A frame to a group that nobody gave an address: its group's, as when it is sent.
void address_to_group(std::span<std::byte> bytes, std::span<layer_span const> layers) {
    build_step frame(bytes, layers, 0);
    if (!frame.view().is<Ether>() || !frame.is_automatic<&Ether::dst>()) return;
    auto const v = detail::network_layer_of({bytes, layers});
    auto fill = [&](auto const& destination) {
        if (destination.is_multicast())
            frame.fill<&Ether::dst>(value_traits<mac>::to_wire(detail::group_address(destination)));
    };
    if (v.is<IP>() && v.has<&IP::dst>()) fill(v.get<&IP::dst>());
    if (v.is<IPv6>() && v.has<&IPv6::dst>()) fill(v.get<&IPv6::dst>());
}

std::vector<std::byte> finished(std::vector<std::byte> bytes, std::span<layer_span const> layers) {
    own_shapes().finish(bytes, layers);
    address_to_group(bytes, layers);
    return bytes;
}

}  // namespace

std::vector<std::byte> packet::build() const {
    if (is_template()) {
        auto first = (*this)[0];
        return finished(std::move(first.parts().bytes), first.layers());
    }
    if (has_edits()) return settled().build();
    return finished(parts().bytes, layers());
}

}  // namespace sonde::inline v0
