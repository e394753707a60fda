#pragma once

#include <sonde/packet/match_key.hpp>
#include <sonde/packet/value.hpp>

#include <string>
#include <type_traits>
#include <utility>

SONDE_NAMESPACE_BEGIN

struct layer_description;
template <auto Member>
extern std::size_t const field_index;

/// Where a layer lies among the bytes of its packet.
struct layer_span {
    layer_description const* layer = nullptr;  ///< what it is
    /// The header, in bytes from the packet's first; the payload goes on to the end of the packet's layers.
    /// @{
    std::uint32_t begin = 0, end = 0;
    /// @}
    std::uint64_t automatic = 0;  ///< a bit for each automatic field, in wire order
    bool truncated = false;       ///< the header ends before all of its fields
    bool quoted = false;          ///< inside an ICMP error
    /// A bit for each of the first 32 fields: an address that nobody wrote, taken out of a range or a network
    /// or drawn at random. Where all of these are of one special kind (239.0.0.0/8), the kind was written.
    std::uint32_t drawn = 0;

    /// Bytes of the header that there are.
    std::size_t size() const { return end - begin; }
};

namespace detail {
struct varying_field;
}

/// A packet that somebody else holds: bytes, and the layers in them.
struct packet_view {
    std::span<std::byte const> bytes;    ///< from the outermost header on, padding at the end
    std::span<layer_span const> layers;  ///< from the outside in
    bool to_many = false;  ///< of a probe: it went to a group, and its answers come from other addresses
    detail::varying_field const* sets = nullptr;  ///< the sets among its fields, for those who print them
    std::size_t set_count = 0;                    ///< how many lie at `sets`
    bool relaxed = false;  ///< of a probe: answers are taken that a careful matcher refuses; see `match`
};

/// Where a field lies in its header, in bits; `width` 0 when this header does not have it.
struct bit_range {
    /// Bits of the header before it.
    std::uint32_t offset = 0, width = 0;  ///< bits of it
};
/// Finds a field by its place in the wire order. The range may end behind a header that was cut short. Cost:
/// constant for the leading fields whose place never changes, else a step for each field behind those.
bit_range locate(layer_description const& layer, std::size_t field, std::span<std::byte const> header);

/// The bits as a number, most significant first; bits past the end read as absent: the value is 0.
wire_value read_bits(std::span<std::byte const> bytes, bit_range where);
/// Writes the low bits of the value; nothing past the end.
void write_bits(std::span<std::byte> bytes, bit_range where, wire_value value);

/// One layer of a packet that somebody else holds. Cheap to copy.
class layer_view {
public:
    /// No layer.
    layer_view() = default;
    /// The layer of this index, from the outside in; none when the packet has no more.
    layer_view(packet_view packet, std::size_t index) : packet_(packet), index_(index) {}

    /// False where there is no layer: nothing but `index`, `packet`, `upper`, `lower` and `is` may be asked
    /// then.
    explicit operator bool() const { return index_ < packet_.layers.size(); }
    /// Where it lies.
    layer_span const& span() const { return packet_.layers[index_]; }
    /// What it is.
    layer_description const& description() const { return *span().layer; }
    /// Which of the packet's layers it is, from the outside in.
    std::size_t index() const { return index_; }
    /// All of the packet.
    packet_view const& packet() const { return packet_; }

    /// Its own bytes; fewer than it states where it is `truncated`.
    std::span<std::byte const> header() const { return packet_.bytes.subspan(span().begin, span().size()); }
    /// All that follows the header, padding left out. Of a quoted layer: up to the end of the quote.
    std::span<std::byte const> payload() const;
    /// The next layer inwards, `upper`, or outwards, `lower`; none at the ends.
    /// @{
    layer_view upper() const { return {packet_, index_ + 1}; }
    layer_view lower() const { return index_ == 0 ? layer_view() : layer_view(packet_, index_ - 1); }
    /// @}
    /// Goes on to the next layer inwards: `upper` without a copy.
    layer_view& ascend() {
        ++index_;
        return *this;
    }

    /// True when this is layer L: `view.is<TCP>()`.
    template <class L>
    bool is() const;

    /// The value of a fixed field: `view.get<&TCP::sport>()`; 0 when the header ends before it.
    template <auto Member>
    auto get() const;
    /// True when the header holds the whole field.
    template <auto Member>
    bool has() const;
    /// The value of a field, by its place in the wire order; 0 when the header does not hold all of it, and
    /// for fields of over 128 bits.
    wire_value value(std::size_t field) const;

private:
    packet_view packet_;
    std::size_t index_ = 0;
};

/// A layer that is being built: its automatic fields wait for their values.
class build_step {
public:
    /// The layer of this index in a packet's bytes, all of which are borrowed.
    build_step(std::span<std::byte> bytes, std::span<layer_span const> layers, std::size_t index)
        : bytes_(bytes), layers_(layers), index_(index) {}

    /// The layer, to be read.
    layer_view view() const { return {{bytes_, layers_}, index_}; }
    /// Its bytes, which may be written.
    std::span<std::byte> header() const {
        return bytes_.subspan(layers_[index_].begin, layers_[index_].size());
    }
    /// As `layer_view::payload`. In `finish` the layers in it are complete.
    std::span<std::byte const> payload() const { return view().payload(); }

    /// True when the user left the field automatic.
    template <auto Member>
    bool is_automatic() const {
        return layers_[index_].automatic >> field_index<Member> & 1;
    }
    /// Sets the field, if the user left it automatic. Throws value_out_of_range when the number does not fit.
    /// @{
    template <auto Member>
    void fill(std::uint64_t number) {
        fill<Member>(wire_value{0, number});
    }
    template <auto Member>
    void fill(wire_value value) {
        if (is_automatic<Member>()) write(field_index<Member>, value);
    }
    /// @}

private:
    void write(std::size_t field, wire_value value);

    std::span<std::byte> bytes_;
    std::span<layer_span const> layers_;
    std::size_t index_;
};

/// A header that was read: what follows it.
struct dissect_step {
    layer_view view;                            ///< the header
    std::span<std::byte const> rest;            ///< all bytes after it, padding perhaps among them
    layer_description const* next = nullptr;    ///< what follows, as the bindings say; null: bytes
    std::size_t limit;                          ///< bytes of payload; what is left over is padding
    bool next_is_quoted = false;                ///< a packet that this layer quotes follows
    layer_description const* behind = nullptr;  ///< what lies behind the payload, if it is no padding
};

/// Whether one layer answers another.
struct match_verdict {
    /// `ask_payload`: yes, as far as this layer tells.
    enum kind : std::uint8_t { no, yes, ask_payload };
    kind value = no;    ///< the verdict
    std::string why{};  ///< for `no`: "tcp ack 103, expected 101"

    /// It answers, whatever the layers above hold.
    static match_verdict match() { return {yes, {}}; }
    /// This layer agrees; the layers above decide.
    static match_verdict payload() { return {ask_payload, {}}; }
    /// It does not, and why: place, found and expected.
    static match_verdict mismatch(std::string reason) { return {no, std::move(reason)}; }
};

/// Collects what a probe and its answers share, so that both sides give the same key.
/// A layer adds its values in the direction of the probe: `source` and `destination` as the probe has them.
class key_builder {
public:
    /// For a packet that is a `reply`, or a probe; the other two are what the probe is, on both sides. What
    /// the mixer holds already comes first.
    key_builder(key_mixer mixer, bool reply, bool any_source, bool relaxed = false)
        : mixer_(mixer), reply_(reply), any_source_(any_source), relaxed_(relaxed) {
        if (relaxed) add(1);
    }

    /// True for the bytes of an answer: destination and source change places.
    bool is_reply() const { return reply_; }
    /// True when the probe went to many (broadcast, multicast): answers come from addresses that it did not
    /// name.
    bool is_any_source() const { return any_source_; }
    /// True when answers may come from another port than the probe named.
    bool is_relaxed() const { return relaxed_; }
    /// A value that probe and answer have alike.
    /// @{
    void add(std::uint64_t value) { mixer_.add(value); }
    void add(wire_value v) {
        add(v.high);
        add(v.low);
    }
    /// @}
    /// Two ends: what the probe calls source, then what it calls destination.
    template <class T>
    void add_ends(T source, T destination) {
        if (reply_) std::swap(source, destination);
        if constexpr (std::is_convertible_v<T, std::uint64_t> && sizeof(T) <= 4)
            add(static_cast<std::uint64_t>(source) << 32 | static_cast<std::uint64_t>(destination));
        else
            add(source), add(destination);
    }
    /// The same so far, for what follows in the direction of the probe: an ICMP error inside a tunnel comes
    /// as a reply, and quotes what was sent.
    key_builder turned_back() const {
        auto turned = *this;
        turned.reply_ = false;
        return turned;
    }
    /// The key of what was added so far; more may be added afterwards.
    match_key finish() const { return mixer_.finish(); }

private:
    key_mixer mixer_;
    bool reply_;
    bool any_source_;
    bool relaxed_;
};

SONDE_NAMESPACE_END
