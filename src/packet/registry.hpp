#pragma once

#include <sonde/packet/layer.hpp>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_map.hpp>

#include <array>
#include <initializer_list>

namespace sonde::inline v0::detail {

/// Stands for "whatever the fields say" in a binding that only the payload's first octet decides.
inline constexpr std::size_t any_field = ~std::size_t(0);

struct setting {
    std::size_t field;
    std::uint64_t value;
    friend bool operator==(setting const&, setting const&) = default;
};

struct binding {
    layer_description const* upper;
    int first_octet;              // what the payload must begin with; negative: anything
    std::vector<setting> also{};  // what further fields must hold
    friend bool operator==(binding const&, binding const&) = default;
};

/// What the bindings of a lower layer say, by the fields that tell. Each packet's layers are looked up here,
/// and most values (ports) tell nothing: one octet, the digest of a value, leads to the few that it may be.
struct carried_layers {
    struct candidate {
        std::uint64_t value;
        binding what;
        std::uint32_t next = 0;  // of the same digest, counted from 1
    };
    struct by_field {
        std::size_t field;
        std::array<std::uint32_t, 256> first{};  // of each digest's candidates, counted from 1
        std::vector<candidate> candidates{};
    };
    std::vector<by_field> fields;

    static std::uint8_t digest(std::uint64_t value) { return static_cast<std::uint8_t>(value ^ value >> 8); }
};

struct field_value {
    std::string_view field;
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
    /// The same, when several fields tell together.
    void bind(layer_description const& lower, std::initializer_list<field_value> fields,
              layer_description const& upper);
    /// What building also sets in `lower` below `upper`, though it does not tell the layers apart; called
    /// after their binding.
    void set(layer_description const& lower, std::initializer_list<field_value> fields,
             layer_description const& upper);
    /// What the bindings say that `lower` carries, or null.
    static layer_description const* next(layer_view const& lower, std::span<std::byte const> payload);
    /// What fields of `lower` hold when it carries `upper`.
    std::span<setting const> settings_for(layer_description const& lower,
                                          layer_description const& upper) const;
    /// True for fields by which some binding picks the layer above, or that it sets.
    bool tells_next(layer_description const& layer, std::size_t field) const;
    /// True for fields that are free but for some layers above them: `set`.
    bool is_optional(layer_description const& layer, std::size_t field) const;
    layer_description const* find(std::string_view name) const;
    std::vector<layer_description const*> const& layers() const { return order_; }

private:
    void tell(layer_description const& lower, std::initializer_list<field_value> fields,
              layer_description const& upper);
    void add_binding(layer_description const& lower, setting const& looked_up, binding b);
    boost::unordered_flat_map<std::string_view, layer_description const*> by_name_;
    std::vector<layer_description const*> order_;
    boost::unordered_map<layer_description const*, carried_layers> above_;  // which stay where they are
    boost::unordered_flat_map<layer_description const*, std::vector<std::size_t>> told_, optional_;
    boost::unordered_flat_map<std::pair<layer_description const*, layer_description const*>,
                              std::vector<setting>,
                              boost::hash<std::pair<layer_description const*, layer_description const*>>>
        below_;
};

/// In src/layers: every layer that the library brings.
void register_built_in_layers(registry&);

}  // namespace sonde::inline v0::detail
