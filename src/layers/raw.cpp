#include <sonde/layers/raw.hpp>

namespace sonde::inline v0 {

layer_hooks hooks(Raw const*) {
    // A payload alone says nothing; that there is one decides neither way.
    return {.answers = [](layer_view const&, layer_view const&) { return match_verdict::match(); }};
}

}  // namespace sonde::inline v0
