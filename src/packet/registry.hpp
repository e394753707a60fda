#pragma once

#include <sonde/packet/layer.hpp>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

namespace sonde::detail {

/// Stands for "whatever the fields say" in a binding that only the payload's first octet decides.
inline constexpr std::size_t any_field = ~std::size_t(0);

struct binding {
    layer_description const* upper;
    int first_octet;  // what the payload must begin with; negative: anything
};

struct setting {
    std::size_t field;
    std::uint64_t value;
};

/// The layers of this program and what carries what. Filled before main and by bindings of users' translation
/// units; only read afterwards.
class registry {
public:
    static registry& instance();

    void add(layer_description const& layer);
    /// As SONDE_BIND. `field` may be empty: `upper` follows whatever the fields say, if its first octet fits.
    void bind(layer_description const& lower, std::string_view field, std::uint64_t value,
              layer_description const& upper, int first_octet = -1);
    /// What the bindings say that `lower` carries, or null.
    layer_description const* next(layer_view const& lower, std::span<std::byte const> payload) const;
    /// The field that tells `lower` carries `upper`, or null.
    setting const* setting_for(layer_description const& lower, layer_description const& upper) const;
    /// True for fields by which some binding picks the layer above.
    bool tells_next(layer_description const& layer, std::size_t field) const;
    layer_description const* find(std::string_view name) const;
    std::vector<layer_description const*> const& layers() const { return order_; }

private:
    void bind(layer_description const& lower, std::size_t field, std::uint64_t value,
              layer_description const& upper, int first_octet);
    struct key {
        layer_description const* lower;
        std::size_t field;
        std::uint64_t value;
        friend bool operator==(key const&, key const&) = default;
        friend std::size_t hash_value(key const& k) {
            std::size_t seed = 0;
            boost::hash_combine(seed, k.lower);
            boost::hash_combine(seed, k.field);
            boost::hash_combine(seed, k.value);
            return seed;
        }
    };
    boost::unordered_flat_map<std::string_view, layer_description const*> by_name_;
    std::vector<layer_description const*> order_;
    boost::unordered_flat_map<key, std::vector<binding>, boost::hash<key>> above_;
    boost::unordered_flat_map<layer_description const*, std::vector<std::size_t>> dispatch_;
    boost::unordered_flat_map<std::pair<layer_description const*, layer_description const*>, setting,
                              boost::hash<std::pair<layer_description const*, layer_description const*>>>
        below_;
};

/// In src/layers: every layer that the library brings.
void register_built_in_layers(registry&);

}  // namespace sonde::detail
