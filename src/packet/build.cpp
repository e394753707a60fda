#include "registry.hpp"

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

}  // namespace

std::vector<std::byte> packet::build() const {
    if (is_template()) {
        auto first = (*this)[0];
        auto bytes = std::move(first.parts().bytes);
        own_shapes().finish(bytes, first.layers());
        return bytes;
    }
    if (has_edits()) return settled().build();
    auto bytes = parts().bytes;
    own_shapes().finish(bytes, layers());
    return bytes;
}

}  // namespace sonde::inline v0
