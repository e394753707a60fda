#pragma once

#include <sonde/packet/field.hpp>
#include <sonde/packet/option_list.hpp>
#include <sonde/packet/view.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/endian/conversion.hpp>
#include <boost/mp11/algorithm.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

/// Makes a layer of a struct: `SONDE_LAYER(Echo, token, kind, cookie)`, in the struct's own namespace. The
/// members follow in wire order; their widths, defaults and meanings come from their types. From then on the
/// layer builds, dissects, prints, expands, and is known by name to packet expressions.
#define SONDE_LAYER(Layer, ...)                                   \
    SONDE_DECLARE_LAYER(Layer, __VA_ARGS__)                       \
    [[maybe_unused]] inline bool const sonde_registered_##Layer = \
        ::sonde::detail::register_layer(::sonde::describe<Layer>());

/// Says that `Upper` is what `Lower` carries when `field` is `value`: building sets the field, unless the
/// user did; dissecting picks the layer. A binding to `dport` serves both directions: answers carry the value
/// in `sport`.
#define SONDE_BIND(Lower, Upper, field, value)                             \
    [[maybe_unused]] static bool const SONDE_DETAIL_UNIQUE(sonde_bound_) = \
        ::sonde::detail::bind(::sonde::describe<Lower>(), #field, value, ::sonde::describe<Upper>());

/// The description alone, for layers that the library registers itself.
#define SONDE_DECLARE_LAYER(Layer, ...)                                                                   \
    BOOST_DESCRIBE_STRUCT(Layer, (), (__VA_ARGS__))                                                       \
    static_assert(std::is_aggregate_v<Layer> && std::is_trivially_destructible_v<Layer>,                  \
                  "a layer is a struct of fields: g++ 12 destroys others twice in co_await expressions"); \
    constexpr std::string_view sonde_layer_name(Layer const*) {                                           \
        return #Layer;                                                                                    \
    }

#define SONDE_DETAIL_UNIQUE_2(name, line) name##line
#define SONDE_DETAIL_UNIQUE_1(name, line) SONDE_DETAIL_UNIQUE_2(name, line)
#define SONDE_DETAIL_UNIQUE(name) SONDE_DETAIL_UNIQUE_1(name, __LINE__)

SONDE_NAMESPACE_BEGIN

/// A struct that SONDE_LAYER described.
template <class L>
concept layer = requires(L const* l) {
    { sonde_layer_name(l) } -> std::convertible_to<std::string_view>;
};

/// Which part of an attempt's identity an automatic field takes when the engine sends it: what tells its
/// answer from all others. Alone, or through `send`, the field keeps its automatic value.
enum class identity_part : std::uint8_t { none, port, id, sequence, number };

/// What a field's type does not say, by the field's name.
struct field_rule {
    std::string_view field;                        ///< which one: its name in the description
    identity_part identity = identity_part::none;  ///< what it takes in `sr*` when automatic
    bool hexadecimal = false;                      ///< how show() prints it
    bool quoted = false;       ///< an ICMP error that quotes the layer proves itself by this field
    std::uint16_t octets = 0;  ///< a field of octets that is always this long, padded with zeros or cut
    bool (*present)(std::span<std::byte const> header) = nullptr;    ///< fields of some message types only
    unsigned (*width)(std::span<std::byte const> header) = nullptr;  ///< bits, when another field tells
    /// Of an address, when other fields tell: what its octets are here, if not of its own type.
    value_kind (*kind_here)(std::span<std::byte const> header) = nullptr;
    value_names names{};  ///< names that show() and summaries print, where the type brings none
    /// Automatic: the number of entries in the list field of this name; or the bytes of the octets field of
    /// this name together with this field's own.
    std::string_view counts{};
    /// `counts` numbers the list's last entry, from 0, and does not count them; 0 for an empty list, too.
    bool numbers_last = false;
    /// Automatic: the bytes of the header, before it is padded.
    bool measures = false;
    /// Zeros follow until the header has a multiple of so many bytes.
    std::uint8_t aligned = 1;
    /// While automatic, the header ends with its last whole unit of so many bytes, as this length can tell no
    /// others.
    std::uint8_t cut_to = 1;
    /// What an expression means that leaves it out, or says None, where that depends on the other fields: a
    /// value as text. Empty: as any automatic one.
    std::string_view (*left_out)(std::span<field_content const> fields) = nullptr;
    /// The head of all that lies behind it in the header, made of the size of that (BER's tag and length).
    /// Automatic; shown only while it is anything else than what building makes.
    std::string (*encloses)(std::size_t size) = nullptr;
    /// Not on the wire: shows its default; 0 builds the lists of the layer without aligning their entries.
    bool phantom = false;
    /// Those of them that are meant, when another field tells (ICMP codes).
    value_names (*names_here)(std::span<std::byte const> header) = nullptr;
    /// What show() prints instead of `usual`, which it would print of this value otherwise.
    std::string (*show)(std::string usual, literal const& value, std::span<std::byte const> header) = nullptr;
};

/// How values change what building fills in, for a packet of given layers: by nothing but a checksum. Packets
/// of one shape are then finished by a plan (`detail::finisher`) and not by every layer's own code.
struct checksum_rule {
    /// What the checksum is of.
    enum class over : std::uint8_t {
        unknown,               ///< values decide more than that
        nothing,               ///< and there is no checksum
        header,                ///< of this layer
        message,               ///< header and payload
        message_and_addresses  ///< and the addresses of the layer below, IP or IPv6
    };
    over sums = over::unknown;      ///< what is summed
    std::size_t field = 0;          ///< the checksum: its place in the wire order
    bool never_zero = false;        ///< as UDP's: 0xffff stands for 0
    std::uint8_t fixed_octets = 0;  ///< of the header, that decide more: equal in all packets of the plan
};

/// What a layer does beyond its fields. A layer gives its own by a function `layer_hooks hooks(L const*)`
/// beside it.
struct layer_hooks {
    std::string_view title{};  ///< what show() calls it; the name when empty
    bool is_link = false;      ///< lies below the network layer, which matching and routing look through to
    bool is_padding = false;   ///< belongs to no payload
    std::span<field_rule const> rules{};  ///< for some of its fields; borrowed for the life of the program
    /// The header is padded with zeros to a multiple of so many bytes when it is made.
    std::uint8_t multiple_of = 1;
    /// Bytes of the header, as its own fields tell; may exceed what there is (truncated). 0: no such layer
    /// here.
    std::size_t (*header_length)(std::span<std::byte const> bytes) = nullptr;
    /// Outermost first, before any checksum: addresses that follow from others.
    void (*prepare)(build_step&) = nullptr;
    /// Innermost first, the payload is complete: lengths and checksums.
    void (*finish)(build_step&) = nullptr;
    /// What `prepare` and `finish` make of values. Without it: anything, if there is one of them.
    checksum_rule (*checksum)(layer_view const&) = nullptr;
    /// Where the payload ends and what it is, when bindings do not tell all.
    void (*follow)(dissect_step&) = nullptr;
    /// This layer lies behind the packet that an ICMP error quotes, and is no part of it.
    bool behind_quote = false;
    /// Zeros that must go between the layers below and this one when it is put on them.
    std::size_t (*padding_before)(packet_view const& below) = nullptr;
    /// What the header's last field, if automatic, holds below this layer.
    std::string_view (*join)(layer_description const& upper) = nullptr;
    /// For a layer that is written otherwise over some lower ones (DNS has a length over TCP): the form of it
    /// that goes over `lower`, or on nothing (null) with these fields.
    layer_description const& (*form)(layer_description const* lower, bool has_first_field) = nullptr;
    /// Bytes of the header before the message that its lists' entries point into.
    std::size_t origin = 0;
    /// Whether `reply` answers `sent`, as far as this layer tells.
    match_verdict (*answers)(layer_view const& reply, layer_view const& sent) = nullptr;
    /// What both a probe and its answers have in common. Without it the layer adds nothing.
    void (*key)(layer_view const& layer, key_builder& key) = nullptr;
    /// One line, without the layers around it; the name when null.
    void (*summarize)(layer_view const& layer, std::string& out) = nullptr;
};

/// The hooks of a layer that declares none.
inline layer_hooks hooks(void const*) {
    return {};
}

namespace detail {
struct SONDE_PRIVATE carried_layers;  // what the bindings of a layer say
}

/// A field as data: where it lies, what it means, and how to reach it in the struct.
struct field_description {
    std::string_view name;  ///< the member's, without the `_` that keeps it from being a word of C++
    value_kind kind = value_kind::number;   ///< what its bits mean
    std::uint16_t width = 0;                ///< bits; 0: the rest of the header
    value_names names{};                    ///< of its values: the rule's, else the type's
    std::uint64_t automatic_value = 0;      ///< what an automatic one shows when built alone
    field_rule rule{};                      ///< the layer's for this field; the default one when it has none
    option_codec const* options = nullptr;  ///< of a list: how it prints and reads; else null
    /// What the member holds in the struct at `layer`; text and lists are borrowed from there.
    void (*read)(void const* layer, field_content& out) = nullptr;
    /// Sets the member of that struct: octets and lists to `bytes`, borrowed (short lists are copied), others
    /// to `value`.
    void (*write)(void* layer, wire_value value, std::span<std::byte const> bytes) = nullptr;
    void (*reset)(void* layer, field_state to) = nullptr;  ///< to `computed` or `kept`
};

/// A layer as data. One object for each layer, for the life of the program.
struct layer_description {
    std::string_view name;                  ///< the struct's, as expressions have it
    layer_hooks hooks;                      ///< what it does beyond its fields
    std::vector<field_description> fields;  ///< wire order
    std::vector<field_content> defaults;    ///< what they hold when nobody says otherwise
    std::vector<std::uint32_t> offsets;     ///< bits, of the leading fields whose place never changes
    std::size_t leading = 0;                ///< how many these are
    std::size_t size = 0;                   ///< bytes of the fields of fixed width
    bool fixed = true;                      ///< no optional fields, no variable widths
    bool shaped = false;                    ///< some field's value tells which others there are, or how wide
    bool measured = false;                  ///< some field counts others, measures, encloses or cuts them
    bool simple = false;                    ///< the header is its leading fields, then lists, and no more
    std::uint64_t identities = 0;           ///< a bit for each field that takes part of an identity
    std::size_t struct_size = 0;            ///< bytes of the struct, not of the header
    void (*construct)(void* where) = nullptr;  ///< the struct with its defaults
    /// Writes the first `most` fields of the struct over zeros, as far as each holds one number or none, or
    /// is an empty list. How many these are.
    std::size_t (*write_numbers)(void const* layer, std::size_t most, std::byte* header,
                                 std::uint64_t& automatic) = nullptr;
    layer_description const* plain = nullptr;                 ///< of another form of a layer: the layer
    mutable detail::carried_layers const* carried = nullptr;  ///< what it may carry, once something is bound
    /// Computes defaults, offsets, size and fixed from the fields.
    void finish();
    /// Another form of this layer: the same fields, which lie otherwise.
    layer_description with(layer_hooks other) const;

    /// The layer itself, whichever form of it this is.
    layer_description const& family() const { return plain ? *plain : *this; }
    /// True for all forms of one layer.
    bool is(layer_description const& other) const { return &family() == &other.family(); }
    /// What show() calls it.
    std::string_view title() const { return hooks.title.empty() ? name : hooks.title; }
    /// The place of a field by name; fields.size() when there is none.
    std::size_t find(std::string_view field) const;
};

/// A quoted layer, as ICMP errors carry: `get<quoted<IP>>()`, Scapy's IPerror.
template <class L>
struct quoted {};

namespace detail {

bool register_layer(layer_description const&);
bool bind(layer_description const& lower, std::string_view field, std::uint64_t value,
          layer_description const& upper, int first_octet = -1);

template <class M>
struct member_access;

template <class T, std::uint64_t D>
struct member_access<field<T, D>> {
    using traits = value_traits<T>;
    static constexpr unsigned width = traits::width;
    static void describe(field_description& f) {
        f.kind = traits::kind;
        f.width = traits::width;
        f.names = traits::names;
        f.automatic_value = D;
    }
    static void read(field<T, D> const& member, field_content& out) { member.read(out); }
    static void write(field<T, D>& member, wire_value value, std::span<std::byte const> bytes) {
        if constexpr (traits::kind == value_kind::octets)
            member = field<T, D>(octets(bytes));
        else
            member = field<T, D>(traits::from_wire(value));
    }
    static void reset(field<T, D>& member, field_state to) {
        member = to == field_state::kept ? field<T, D>::kept() : field<T, D>();
    }
};

template <list_member Options>
struct member_access<Options> {
    static constexpr unsigned width = 0;
    static void describe(field_description& f) {
        f.kind = value_kind::options;
        f.options = &Options::codec();
    }
    static void read(Options const& member, field_content& out) {
        out.state = field_state::single;
        out.bytes = member.view();
    }
    static void write(Options& member, wire_value, std::span<std::byte const> bytes) { member.assign(bytes); }
    static void reset(Options& member, field_state) { member.assign({}); }
};

template <class L, class Descriptor>
field_description describe_field() {
    using member = std::remove_reference_t<decltype(std::declval<L&>().*Descriptor::pointer)>;
    field_description f;
    f.name = Descriptor::name;
    if (f.name.ends_with('_')) f.name.remove_suffix(1);  // words of C++: `protected_`
    member_access<member>::describe(f);
    f.read = [](void const* l, field_content& out) {
        member_access<member>::read(static_cast<L const*>(l)->*Descriptor::pointer, out);
    };
    f.write = [](void* l, wire_value value, std::span<std::byte const> bytes) {
        member_access<member>::write(static_cast<L*>(l)->*Descriptor::pointer, value, bytes);
    };
    f.reset = [](void* l, field_state to) {
        member_access<member>::reset(static_cast<L*>(l)->*Descriptor::pointer, to);
    };
    return f;
}

/// Most fields are 1, 2, 4 or 8 whole octets.
constexpr bool is_plain(bit_range where) {
    auto w = where.width;
    return where.offset % 8 == 0 && (w == 8 || w == 16 || w == 32 || w == 64);
}

/// Reads one of those.
inline std::uint64_t load_plain(std::byte const* header, bit_range where) {
    using boost::endian::endian_load;
    using boost::endian::order;
    auto const* at = reinterpret_cast<unsigned char const*>(header) + where.offset / 8;
    switch (where.width) {
        case 8: return *at;
        case 16: return endian_load<std::uint16_t, 2, order::big>(at);
        case 32: return endian_load<std::uint32_t, 4, order::big>(at);
        default: return endian_load<std::uint64_t, 8, order::big>(at);
    }
}

/// Writes one.
inline void store_plain(std::byte* header, bit_range where, std::uint64_t value) {
    using boost::endian::endian_store;
    using boost::endian::order;
    auto* at = reinterpret_cast<unsigned char*>(header) + where.offset / 8;
    switch (where.width) {
        case 8: *at = static_cast<unsigned char>(value); return;
        case 16: endian_store<std::uint16_t, 2, order::big>(at, static_cast<std::uint16_t>(value)); return;
        case 32: endian_store<std::uint32_t, 4, order::big>(at, static_cast<std::uint32_t>(value)); return;
        default: endian_store<std::uint64_t, 8, order::big>(at, value); return;
    }
}

/// Writes a number at a place that the compiler knows, over zeros.
template <unsigned Offset, unsigned Width>
void write_number(std::byte* header, wire_value value) {
    if constexpr (Width > 64) {
        write_number<Offset, Width - 64>(header, {0, value.high});
        write_number<Offset + Width - 64, 64>(header, {0, value.low});
    } else if constexpr (is_plain({Offset, Width})) {
        store_plain(header, {Offset, Width}, value.low);
    } else {
        constexpr unsigned first = Offset / 8, last = (Offset + Width - 1) / 8;
        constexpr unsigned spare = 8 * (last + 1) - (Offset + Width);
        if constexpr (Offset % 8 == 0 && spare == 0) {
            for (unsigned i = 0; i <= last - first; ++i)
                header[first + i] = static_cast<std::byte>(value.low >> 8 * (last - first - i));
        } else {
            __extension__ using bits =
                std::conditional_t<(last - first >= 8), unsigned __int128, std::uint64_t>;
            auto shifted = static_cast<bits>(value.low) << spare;
            for (unsigned i = 0; i <= last - first; ++i)
                header[first + i] |= static_cast<std::byte>(shifted >> 8 * (last - first - i));
        }
    }
}

/// Reads one.
template <unsigned Offset, unsigned Width>
wire_value read_number(std::byte const* header) {
    if constexpr (Width > 64) {
        return {read_number<Offset, Width - 64>(header).low,
                read_number<Offset + Width - 64, 64>(header).low};
    } else if constexpr (is_plain({Offset, Width})) {
        return {0, load_plain(header, {Offset, Width})};
    } else {
        constexpr unsigned first = Offset / 8, last = (Offset + Width - 1) / 8;
        constexpr unsigned spare = 8 * (last + 1) - (Offset + Width);
        __extension__ using bits = std::conditional_t<(last - first >= 8), unsigned __int128, std::uint64_t>;
        bits value = 0;
        for (unsigned i = first; i <= last; ++i)
            value = value << 8 | std::to_integer<std::uint64_t>(header[i]);
        constexpr auto mask = ~std::uint64_t(0) >> (64 - Width);
        return {0, static_cast<std::uint64_t>(value >> spare) & mask};
    }
}

template <class L>
struct leading_numbers {
    using members = boost::describe::describe_members<L, boost::describe::mod_public>;
    static constexpr std::size_t count = boost::mp11::mp_size<members>::value;
    template <std::size_t I>
    using member =
        std::remove_reference_t<decltype(std::declval<L&>().*boost::mp11::mp_at_c<members, I>::pointer)>;

    template <std::size_t I, unsigned Offset>
    static std::size_t write(L const& layer, std::size_t most, std::byte* header, std::uint64_t& automatic) {
        if constexpr (I < count) {
            constexpr auto width = member_access<member<I>>::width;
            if constexpr (width > 0) {
                auto const& f = layer.*boost::mp11::mp_at_c<members, I>::pointer;
                bool is_automatic = f.is_automatic();
                if (I < most && (is_automatic || f.state() == field_state::single)) {
                    automatic |= std::uint64_t(is_automatic) << I;
                    write_number<Offset, width>(header, f.to_wire());
                    return write<I + 1, Offset + width>(layer, most, header, automatic);
                }
            } else if constexpr (list_member<member<I>>) {
                if (I < most && (layer.*boost::mp11::mp_at_c<members, I>::pointer).view().empty())
                    return write<I + 1, Offset>(layer, most, header, automatic);
            }
        }
        return I;
    }
};

template <class L>
match_verdict user_answers(layer_view const& reply, layer_view const& sent);

template <class L>
layer_description make_description() {
    layer_description d;
    d.name = sonde_layer_name(static_cast<L const*>(nullptr));
    d.hooks = hooks(static_cast<L const*>(nullptr));
    d.struct_size = sizeof(L);
    d.construct = [](void* where) { ::new (where) L{}; };
    d.write_numbers = [](void const* l, std::size_t most, std::byte* header, std::uint64_t& automatic) {
        return leading_numbers<L>::template write<0, 0>(*static_cast<L const*>(l), most, header, automatic);
    };
    static_assert(alignof(L) <= alignof(std::max_align_t));
    boost::mp11::mp_for_each<boost::describe::describe_members<L, boost::describe::mod_public>>(
        [&]<class D>(D) { d.fields.push_back(describe_field<L, D>()); });
    if constexpr (requires(L const& l) {
                      { answers(l, l) } -> std::convertible_to<bool>;
                  })
        d.hooks.answers = &user_answers<L>;
    d.finish();
    return d;
}

}  // namespace detail

namespace detail {

/// Room for a description: its address is known before it is made, so that asking for a layer is comparing
/// addresses.
template <class L>
struct description_room {
    union {
        char none = 0;
        layer_description value;
    };
    constexpr description_room() {}
    constexpr ~description_room() {}
};
template <class L>
inline constinit description_room<L> description_of{};

}  // namespace detail

/// The description of a layer.
template <layer L>
layer_description const& describe() {
    static layer_description const& d =
        *std::construct_at(&detail::description_of<L>.value, detail::make_description<L>());
    return d;
}

namespace detail {
template <class L, class M>
L layer_of_member(M L::*);
template <auto Member>
constexpr std::size_t index_of() {
    using L = decltype(layer_of_member(Member));
    std::size_t found = 0, i = 0;
    boost::mp11::mp_for_each<boost::describe::describe_members<L, boost::describe::mod_public>>([&]<class D>(
                                                                                                    D) {
        if constexpr (std::is_same_v<decltype(D::pointer), decltype(Member)>) {
            if (D::pointer == Member) found = i;
        } else if constexpr (std::is_same_v<std::remove_const_t<decltype(D::pointer)>, decltype(Member)>) {
            if (D::pointer == Member) found = i;
        }
        ++i;
    });
    return found;
}

/// Where a member lies in the header if it is one of the leading fields of fixed width, in bits.
template <auto Member>
constexpr std::optional<unsigned> leading_offset() {
    using L = decltype(layer_of_member(Member));
    unsigned offset = 0;
    std::size_t i = 0;
    bool is_fixed = true;
    boost::mp11::mp_for_each<boost::describe::describe_members<L, boost::describe::mod_public>>(
        [&]<class D>(D) {
            using member = std::remove_reference_t<decltype(std::declval<L&>().*D::pointer)>;
            if (i <= index_of<Member>()) is_fixed &= member_access<member>::width != 0;
            if (i < index_of<Member>()) offset += member_access<member>::width;
            ++i;
        });
    return is_fixed ? std::optional(offset) : std::nullopt;
}
}  // namespace detail
/// The place of a member in the wire order of its layer, at compile time: `field_index<&TCP::sport>`.
template <auto Member>
inline constexpr std::size_t field_index = detail::index_of<Member>();

/// Layers by name, in the order of registration: for expressions and for `sonde layers`.
std::vector<layer_description const*> known_layers();
/// The layer of this name, or null. Quoted names (IPerror, UDPerror, IPerror6 …) find the layer they quote.
layer_description const* find_layer(std::string_view name, bool* is_quoted = nullptr);

SONDE_NAMESPACE_END
