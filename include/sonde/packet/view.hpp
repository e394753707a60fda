#pragma once

#include <sonde/packet/match_key.hpp>
#include <sonde/packet/value.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace sonde {

struct layer_description;
template <auto Member>
extern std::size_t const field_index;

/// Where a layer lies among the bytes of its packet.
struct layer_span {
    layer_description const* layer = nullptr;
    std::uint32_t begin = 0, end = 0;  ///< the header; the payload goes on to the end of the packet's layers
    std::uint64_t automatic = 0;       ///< a bit for each automatic field, in wire order
    bool truncated = false;            ///< the header ends before all of its fields
    bool quoted = false;               ///< inside an ICMP error
    /// A bit for each of the first 32 fields: an address that nobody wrote, taken out of a range or a network
    /// or drawn at random. Where all of these are of one special kind (239.0.0.0/8), the kind was written.
    std::uint32_t drawn = 0;

    std::size_t size() const { return end - begin; }
};

namespace detail {
struct varying_field;
}

/// A packet that somebody else holds: bytes, and the layers in them.
struct packet_view {
    std::span<std::byte const> bytes;
    std::span<layer_span const> layers;
    bool to_many = false;  ///< of a probe: it went to a group, and its answers come from other addresses
    detail::varying_field const* sets = nullptr;  ///< the sets among its fields, for those who print them
    std::size_t set_count = 0;
    bool relaxed = false;  ///< of a probe: answers are taken that a careful matcher refuses; see `match`
};

/// Where a field lies in its header, in bits; `width` 0 when this header does not have it.
struct bit_range {
    std::uint32_t offset = 0, width = 0;
};
bit_range locate(layer_description const& layer, std::size_t field, std::span<std::byte const> header);

/// The bits as a number, most significant first; bits past the end read as absent: the value is 0.
wire_value read_bits(std::span<std::byte const> bytes, bit_range where);
/// Writes the low bits of the value; nothing past the end.
void write_bits(std::span<std::byte> bytes, bit_range where, wire_value value);

/// One layer of a packet that somebody else holds. Cheap to copy.
class layer_view {
public:
    layer_view() = default;
    layer_view(packet_view packet, std::size_t index) : packet_(packet), index_(index) {}

    explicit operator bool() const { return index_ < packet_.layers.size(); }
    layer_span const& span() const { return packet_.layers[index_]; }
    layer_description const& description() const { return *span().layer; }
    std::size_t index() const { return index_; }
    packet_view const& packet() const { return packet_; }

    std::span<std::byte const> header() const { return packet_.bytes.subspan(span().begin, span().size()); }
    /// All that follows the header, padding left out. Of a quoted layer: up to the end of the quote.
    std::span<std::byte const> payload() const;
    layer_view upper() const { return {packet_, index_ + 1}; }
    layer_view lower() const { return index_ == 0 ? layer_view() : layer_view(packet_, index_ - 1); }

    /// True when this is layer L: `view.is<TCP>()`.
    template <class L>
    bool is() const;

    /// The value of a fixed field: `view.get<&TCP::sport>()`; 0 when the header ends before it.
    template <auto Member>
    auto get() const;
    /// True when the header holds the whole field.
    template <auto Member>
    bool has() const;
    wire_value value(std::size_t field) const {
        return read_bits(header(), locate(description(), field, header()));
    }

private:
    packet_view packet_;
    std::size_t index_ = 0;
};

/// A layer that is being built: its automatic fields wait for their values.
class build_step {
public:
    build_step(std::span<std::byte> bytes, std::span<layer_span const> layers, std::size_t index)
        : bytes_(bytes), layers_(layers), index_(index) {}

    layer_view view() const { return {{bytes_, layers_}, index_}; }
    std::span<std::byte> header() const {
        return bytes_.subspan(layers_[index_].begin, layers_[index_].size());
    }
    std::span<std::byte const> payload() const { return view().payload(); }

    template <auto Member>
    bool is_automatic() const {
        return layers_[index_].automatic >> field_index<Member> & 1;
    }
    /// Sets the field, if the user left it automatic. Throws value_out_of_range when the number does not fit.
    template <auto Member>
    void fill(std::uint64_t number) {
        fill<Member>(wire_value{0, number});
    }
    template <auto Member>
    void fill(wire_value value) {
        if (is_automatic<Member>()) write(field_index<Member>, value);
    }

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
    enum kind : std::uint8_t { no, yes, ask_payload };
    kind value = no;
    std::string why{};  ///< for `no`: "tcp ack 103, expected 101"

    static match_verdict match() { return {yes, {}}; }
    /// This layer agrees; the layers above decide.
    static match_verdict payload() { return {ask_payload, {}}; }
    static match_verdict mismatch(std::string reason) { return {no, std::move(reason)}; }
};

/// Collects what a probe and its answers share, so that both sides give the same key.
/// A layer adds its values in the direction of the probe: `source` and `destination` as the probe has them.
class key_builder {
public:
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
    void add(std::uint64_t value) { mixer_.add(value); }
    void add(wire_value v) {
        add(v.high);
        add(v.low);
    }
    /// Two ends: what the probe calls source, then what it calls destination.
    template <class T>
    void add_ends(T source, T destination) {
        if (reply_) std::swap(source, destination);
        if constexpr (std::is_convertible_v<T, std::uint64_t> && sizeof(T) <= 4)
            add(static_cast<std::uint64_t>(source) << 32 | static_cast<std::uint64_t>(destination));
        else
            add(source), add(destination);
    }
    match_key finish() { return mixer_.finish(); }

private:
    key_mixer mixer_;
    bool reply_;
    bool any_source_;
    bool relaxed_;
};

}  // namespace sonde
