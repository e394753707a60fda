#pragma once

#include <sonde/link/frame.hpp>
#include <sonde/packet/layer.hpp>

#include <atomic>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

SONDE_NAMESPACE_BEGIN

class packet;
class exclude;
class packet_template;
packet fuzz(packet p);

namespace detail {

struct unpacked_layer;

/// As `dissect`, but what the outermost layer is is known.
packet dissect_as(std::span<std::byte const> bytes, layer_description const& outermost,
                  bool is_quoted = false);

/// Tells what each field of a layer holds: read from a struct, or from contents found at run time.
struct content_source {
    void const* from;
    void (*read)(layer_description const& layer, std::size_t field, void const* from, field_content& out);
    bool is_struct = false;  ///< `from` is the layer's struct: numbers can be read the short way
};

/// A set in a field of a packet.
struct varying_field {
    std::uint32_t layer = 0;  ///< which of the packet's layers
    std::uint32_t field = 0;  ///< which of its fields
    field_content content;
    std::string name;  ///< a host name, not yet resolved
};

/// What a packet holds, in one piece, so that a packet that moves takes three words along.
struct packet_parts {
    std::vector<std::byte> bytes;
    std::vector<layer_span> layers;
    std::vector<varying_field> sets;
    mutable std::atomic<unpacked_layer*> unpacked{nullptr};  ///< the structs that `get` gave

    void forget_unpacked() noexcept;
};

/// Takes the parts of a packet that goes, for the next that this thread makes.
struct keep_parts {
    void operator()(packet_parts* parts) const noexcept;
};
using own_parts = std::unique_ptr<packet_parts, keep_parts>;

/// Empty ones, with the memory of a packet that went where this thread kept one.
own_parts take_parts();

/// Those of packets without layers.
extern packet_parts const no_parts;

}  // namespace detail

/// A stack of layers: what is sent, and what was received.
///
/// Made from layers by `/` (outermost first), from text or bytes (a Raw layer), or by `dissect`. A packet
/// whose fields hold sets is a lazy set of packets: `size()`, `operator[]`, iteration; order as Scapy's: the
/// innermost layer varies fastest, within a layer the first wire field.
///
/// Holds the bytes of its headers and payload, the places of the layers in them, and which fields are
/// automatic; a layer's struct is made when it is asked for. Copies are independent. Threads: distinct
/// objects: safe; const members of one object: safe.
class packet {
public:
    /// Without layers: no bytes, one packet.
    packet() = default;
    /// A copy has read what changed structs borrow, and borrows nothing; one moved keeps the structs that
    /// `get` gave.
    /// @{
    packet(packet const&);
    packet(packet&&) noexcept = default;
    packet& operator=(packet const&);
    packet& operator=(packet&&) noexcept = default;
    /// @}
    ~packet() = default;

    /// One layer. What its fields borrow is read now. Throws what fields throw that convert then (`values`),
    /// and set_too_large for a list of none.
    template <layer L>
    packet(L const& l) : packet() {
        append(describe<L>(), &l);
    }
    /// A payload: one Raw layer, of a copy of the bytes.
    /// @{
    packet(std::string_view payload);
    packet(char const* payload) : packet(std::string_view(payload)) {}
    packet(std::string const& payload) : packet(std::string_view(payload)) {}
    packet(std::span<std::byte const> payload)
        : packet(std::string_view(reinterpret_cast<char const*>(payload.data()), payload.size())) {}
    /// @}

    /// A packet of bytes whose layers are known, as `view` gives them.
    static packet from_parts(std::vector<std::byte> bytes, std::vector<layer_span> layers);
    /// The reverse: bytes and layers, moved out, no longer a packet. Sets and changed structs are left
    /// behind.
    std::pair<std::vector<std::byte>, std::vector<layer_span>> into_parts() &&;
    /// The same in the piece that holds them; null without layers.
    /// @{
    static packet from_parts(detail::own_parts parts) {
        packet p;
        p.parts_ = std::move(parts);
        p.wire_length = static_cast<std::uint32_t>(p.view().bytes.size());
        return p;
    }
    detail::own_parts release_parts() && {
        forget_unpacked();
        if (is_template()) parts().sets.clear();
        return std::move(parts_);
    }
    /// @}

    /// One layer that is known only when the program runs: what its fields hold, in wire order. Throws
    /// value_out_of_range when bytes given for an address do not have the length that the header states.
    packet(layer_description const& layer, std::span<field_content const> fields, bool is_quoted = false);

    /// `upper` goes inside this packet, innermost. Its time, interface and wire length are left behind.
    /// @{
    packet& operator/=(packet const& upper);
    template <layer L>
    packet& operator/=(L const& upper) {
        settle();
        append(describe<L>(), &upper);
        return *this;
    }
    friend packet operator/(packet lower, packet const& upper) {
        lower /= upper;
        return lower;
    }
    /// @}

    /// The bytes on the wire: lengths, checksums and what bindings tell are filled in where automatic. Of a
    /// set, the first packet. Throws header_too_long, value_out_of_range when a length does not fit its
    /// field.
    std::vector<std::byte> build() const;

    /// How many packets this is: the product of its sets; 1 without. Throws set_too_large above 2^64 - 1.
    std::uint64_t size() const;
    /// True without layers.
    bool empty() const { return parts().layers.empty(); }
    /// The packet at an index of the set, in constant time; random fields are drawn.
    packet operator[](std::uint64_t index) const;
    /// The same, with the caller's randomness.
    packet at(std::uint64_t index, random_source& random) const;

    /// The packets of the set, in order, each made when it is looked at.
    class iterator {
    public:
        /// An input iterator, which gives packets by value.
        /// @{
        using iterator_concept = std::input_iterator_tag;
        using value_type = packet;
        using difference_type = std::ptrdiff_t;
        /// @}

        /// Of no set.
        iterator() = default;
        /// At an index of the set, which must outlive it and stay where it is.
        iterator(packet const* set, std::uint64_t index) : set_(set), index_(index) {}
        /// The packet here, made anew in each call; throws as `operator[]`.
        packet operator*() const;
        /// To the next index; nothing is made.
        /// @{
        iterator& operator++() {
            ++index_;
            return *this;
        }
        iterator operator++(int) {
            auto before = *this;
            ++index_;
            return before;
        }
        /// @}
        /// By index: both are of one set.
        friend bool operator==(iterator const& a, iterator const& b) { return a.index_ == b.index_; }

    private:
        packet const* set_ = nullptr;
        std::uint64_t index_ = 0;
    };
    /// All packets of the set. `end` throws as `size`.
    /// @{
    iterator begin() const;
    iterator end() const;
    /// @}

    /// The first layer L. Throws no_such_layer. Changes to the non-const one show in the next build; what
    /// they borrow (payloads, `values`) must live until then. Valid until the packet is assigned to, or `/=`
    /// puts something inside it.
    /// @{
    template <class L>
    auto const& get() const;
    template <class L>
    auto& get();
    /// @}
    /// The first layer L, or null.
    /// @{
    template <class L>
    auto const* find() const;
    template <class L>
    auto* find();
    /// @}
    /// True when there is a layer L; of `quoted<L>`, one in the quote of an ICMP error.
    template <class L>
    bool has() const;

    /// The bytes and layers, as they lie.
    packet_view view() const {
        auto const& p = parts();
        return {.bytes = p.bytes, .layers = p.layers, .sets = p.sets.data(), .set_count = p.sets.size()};
    }
    /// The layers from the outside in.
    std::span<layer_span const> layers() const { return parts().layers; }
    /// The sets, random values and host names among the fields.
    std::span<detail::varying_field const> sets() const { return parts().sets; }
    /// True when a field holds a set, a random value or a host name.
    bool is_template() const { return !parts().sets.empty(); }

    /// When it was captured, or sent. Zero when neither.
    timestamp time{};
    /// The interface it came from, 0 when unknown.
    int interface = 0;
    /// The length on the wire; more than the bytes when the capture cut it.
    std::uint32_t wire_length = 0;

private:
    friend class exclude;
    friend class packet_template;
    friend packet fuzz(packet p);

    bool append_numbers(layer_description const& layer, void const* fields);
    void append(layer_description const& layer, void const* fields);
    void append(layer_description const& layer, detail::content_source const& source);
    void append(packet const& from, std::size_t index);
    void join(layer_description const& upper);
    layer_description const* form_over(packet const& lower) const;
    packet in_form(layer_description const& form) const;
    void vary(std::size_t layer, std::size_t field, field_content content);
    /// For fields of fixed width: what the field holds from now on. A list without values makes the set
    /// empty.
    void set_content(std::size_t layer, std::size_t field, field_content content);
    void restore_kept(packet const& from, std::size_t layer, std::size_t first_set);
    std::uint32_t written_anew(packet const& from, std::size_t layer) const;
    std::span<std::byte> header(std::size_t layer) {
        auto& p = parts();
        return std::span(p.bytes).subspan(p.layers[layer].begin, p.layers[layer].size());
    }
    detail::unpacked_layer* unpack(layer_description const& layer, bool is_quoted) const;
    void const* unpacked(layer_description const& layer, bool is_quoted) const;
    void* edit(layer_description const& layer, bool is_quoted);
    packet settled() const;
    void settle();
    bool is_patchable() const;
    packet patched(std::uint64_t index, random_source& random) const;
    bool has_edits() const;
    void forget_unpacked() noexcept {
        if (parts_) parts_->forget_unpacked();
    }
    detail::packet_parts& parts() {
        if (!parts_) parts_ = detail::take_parts();
        return *parts_;
    }
    detail::packet_parts const& parts() const { return parts_ ? *parts_ : detail::no_parts; }

    detail::own_parts parts_;
};

/// Layers joined by `/` make a packet, the left one outside; text and bytes are Raw layers.
/// @{
template <layer L, class Upper>
    requires std::convertible_to<Upper const&, packet>
packet operator/(L const& lower, Upper const& upper) {
    packet p(lower);
    p /= upper;
    return p;
}
template <layer L>
packet operator/(packet lower, L const& upper) {
    return std::move(lower /= upper);
}
template <layer L>
packet operator/(std::string_view lower, L const& upper) {
    return packet(lower) /= packet(upper);
}
/// @}

/// Reads bytes as layers, outermost of type `link`. Never fails: what cannot be read is a Raw layer, a header
/// that ends early keeps the fields it has. At most 32 layers and 8 quotes deep.
packet dissect(std::span<std::byte const> bytes, link_type link = link_type::ethernet);

inline packet packet::iterator::operator*() const {
    return (*set_)[index_];
}
inline packet::iterator packet::begin() const {
    return {this, 0};
}
inline packet::iterator packet::end() const {
    return {this, size()};
}

namespace detail {

/// What `get<L>()` gives: L itself, for a quoted layer the struct of the layer it quotes.
template <class L>
struct layer_lookup {
    using type = L;
    static constexpr bool is_quoted = false;
};
template <class L>
struct layer_lookup<quoted<L>> {
    using type = L;
    static constexpr bool is_quoted = true;
};

/// A layer's struct, made when a user asked for it.
struct unpacked_layer {
    std::uint32_t index = 0;
    bool edited = false;
    unpacked_layer* next = nullptr;
    std::unique_ptr<std::byte[]> storage;
};

/// True when the header holds the whole field: fields of other message types, or behind its end, do not
/// count.
bool holds(layer_view const& view, std::size_t field);

/// What a field of a packet holds: `computed` where it is automatic, a set where it is one, else its one
/// value. Octets, and addresses of a length that is not their type's, borrow from the packet's bytes.
field_content content_of(layer_view const& view, std::size_t field);

/// The same for all fields; those that the header does not hold have their defaults.
std::vector<field_content> contents_of(layer_view const& view);

/// The struct of a layer, its fields as the packet has them: automatic where they are, `kept` where they are
/// sets.
std::unique_ptr<std::byte[]> unpack_struct(layer_view const& view, std::span<varying_field const> sets);

[[noreturn]] void throw_no_layer(std::string_view name, bool is_quoted);

}  // namespace detail

// Doxygen takes some of these for others than those declared above.
/// @cond
template <class L>
auto const* packet::find() const {
    using lookup = detail::layer_lookup<L>;
    return static_cast<typename lookup::type const*>(
        unpacked(describe<typename lookup::type>(), lookup::is_quoted));
}
template <class L>
auto* packet::find() {
    using lookup = detail::layer_lookup<L>;
    return static_cast<typename lookup::type*>(edit(describe<typename lookup::type>(), lookup::is_quoted));
}
template <class L>
auto const& packet::get() const {
    using lookup = detail::layer_lookup<L>;
    auto const* l = find<L>();
    if (!l) detail::throw_no_layer(describe<typename lookup::type>().name, lookup::is_quoted);
    return *l;
}
template <class L>
auto& packet::get() {
    using lookup = detail::layer_lookup<L>;
    auto* l = find<L>();
    if (!l) detail::throw_no_layer(describe<typename lookup::type>().name, lookup::is_quoted);
    return *l;
}
template <class L>
bool packet::has() const {
    using lookup = detail::layer_lookup<L>;
    for (auto const& s : layers())
        if (s.layer->is(describe<typename lookup::type>()) && s.quoted == lookup::is_quoted) return true;
    return false;
}
/// @endcond

namespace detail {

template <class F>
struct field_of;
template <class T, std::uint64_t D>
struct field_of<field<T, D>> {
    static constexpr unsigned width = value_traits<T>::width;
    static auto from(wire_value w) { return value_traits<T>::from_wire(w); }
};

/// Calls the user's `bool answers(L const& reply, L const& sent)`.
template <class L>
match_verdict user_answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.is<L>()) return match_verdict::mismatch(std::string(describe<L>().name) + " missing");
    auto r = unpack_struct(reply, {}), s = unpack_struct(sent, {});
    if (answers(*reinterpret_cast<L const*>(r.get()), *reinterpret_cast<L const*>(s.get())))
        return match_verdict::match();
    return match_verdict::mismatch(std::string(describe<L>().name) + " does not answer the probe's");
}

}  // namespace detail

template <class L>
bool layer_view::is() const {
    if (!*this) return false;
    auto const* asked = &detail::description_of<L>.value;
    return &description() == asked || description().plain == asked;
}

namespace detail {

/// True when the field lies where its struct alone tells.
template <auto Member>
bool is_leading(layer_description const& layer) {
    using L = decltype(layer_of_member(Member));
    return leading_offset<Member>() && &layer == &description_of<L>.value &&
           field_index<Member> < layer.leading;
}

}  // namespace detail

template <auto Member>
bool layer_view::has() const {
    if (detail::is_leading<Member>(description())) {
        using F =
            std::remove_cvref_t<decltype(std::declval<decltype(detail::layer_of_member(Member))>().*Member)>;
        return detail::leading_offset<Member>().value_or(0) + detail::field_of<F>::width <= span().size() * 8;
    }
    auto where = locate(description(), field_index<Member>, header());
    return where.width != 0 && where.offset + where.width <= header().size() * 8;
}

template <auto Member>
auto layer_view::get() const {
    using F =
        std::remove_cvref_t<decltype(std::declval<decltype(detail::layer_of_member(Member))>().*Member)>;
    constexpr auto offset = detail::leading_offset<Member>();
    if constexpr (offset.has_value())
        if (auto const& s = span(); detail::is_leading<Member>(*s.layer)) {
            constexpr auto width = detail::field_of<F>::width;
            if ((*offset + width + 7) / 8 > s.size()) return detail::field_of<F>::from({});
            return detail::field_of<F>::from(
                detail::read_number<*offset, width>(packet_.bytes.data() + s.begin));
        }
    return detail::field_of<F>::from(value(field_index<Member>));
}

SONDE_NAMESPACE_END
