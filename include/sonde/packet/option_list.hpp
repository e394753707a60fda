#pragma once

#include <sonde/packet/literal.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

SONDE_NAMESPACE_BEGIN

/// How one protocol's options or records print and read: `[("MSS", 1460), ("NOP", None)]`, or layers inside a
/// field: `[IPOption_RR(..), ..]`.
struct option_codec {
    /// The list, in the order of the bytes; what cannot be read as an entry stays as bytes at the end.
    /// `header` is the header that the bytes lie in, for entries that point into it; else the bytes
    /// themselves.
    literal (*print)(std::span<std::byte const> bytes, std::span<std::byte const> header);
    /// The bytes of a list. Throws `error` that names the entry.
    /// `of`: the layer that is being read, for entries that depend on its other fields; null when unknown.
    std::string (*read)(literal const& list, literal::call const* of);
    /// How many entries the bytes hold, for a field that counts them.
    std::size_t (*count)(std::span<std::byte const> bytes) = nullptr;
    /// What show() prints of the list; null: what Python would.
    std::string (*show)(literal const& list) = nullptr;
    /// Puts entries where they must lie, for lists that begin at a known place of their header.
    std::string (*align)(std::string_view entries) = nullptr;
    bool text = false;             ///< text and bytes are values to `read` too, not the encoded list
    bool one = false;              ///< a single value: a list of them is a set
    bool chain = false;            ///< command() prints the entries as Scapy does DNS records: `A(..)/B(..)`
    bool leads = false;            ///< command() prints the field first, as Scapy does with list fields
    bool layers = false;           ///< the entries are layers; show() prints each with a title of its own
    bool typed = false;            ///< values are calls, `ASN1_INTEGER(5)`; JSON has the argument alone
    std::uint8_t multiple_of = 4;  ///< bytes that the list is padded to with zeros
};

/// An encoded list inside a layer. `Capacity` bytes are held inside, so that the layer stays trivially
/// destructible; a longer list is borrowed from the packet that it was taken out of, as octets are.
template <std::size_t Capacity>
class encoded_list {
public:
    static constexpr std::size_t capacity = Capacity;  ///< bytes that are held inside

    constexpr encoded_list() = default;
    /// The encoded entries, without the padding that building adds. Valid as long as this list; over
    /// `Capacity` bytes, as long as what was assigned.
    std::string_view view() const { return {borrowed_ ? borrowed_ : data_, size_}; }
    /// The same, as bytes.
    std::span<std::byte const> bytes() const { return std::as_bytes(std::span(view())); }
    std::size_t size() const { return size_; }  ///< in bytes, not in entries
    bool empty() const { return size_ == 0; }   ///< no entry, no byte

    /// Takes over encoded entries instead of those that it has. Copies up to `Capacity` bytes; borrows more:
    /// they must then live until the packet is made.
    void assign(std::span<std::byte const> bytes) {
        size_ = static_cast<std::uint32_t>(bytes.size());
        borrowed_ = bytes.size() > Capacity ? reinterpret_cast<char const*>(bytes.data()) : nullptr;
        if (!borrowed_) std::copy_n(reinterpret_cast<char const*>(bytes.data()), bytes.size(), data_);
    }
    /// By the encoded bytes.
    friend bool operator==(encoded_list const& a, encoded_list const& b) { return a.view() == b.view(); }

protected:
    /// Copies encoded entries behind those that it has. Throws header_too_long when they do not fit inside.
    void append(std::string_view encoded);

private:
    char data_[Capacity]{};
    std::uint32_t size_ = 0;
    char const* borrowed_ = nullptr;
};

/// Up to 40 bytes are all that a 4-bit header length leaves to the options of IP and TCP.
using option_bytes = encoded_list<40>;

namespace detail {
[[noreturn]] void throw_list_too_long(std::size_t capacity);
}

template <std::size_t Capacity>
void encoded_list<Capacity>::append(std::string_view encoded) {
    if (borrowed_ || size_ + encoded.size() > Capacity) detail::throw_list_too_long(Capacity);
    std::copy(encoded.begin(), encoded.end(), data_ + size_);
    size_ += static_cast<std::uint32_t>(encoded.size());
}

/// A member of a layer that holds a list.
template <class T>
concept list_member = requires(T& t, std::span<std::byte const> bytes) {
    { T::codec() } -> std::same_as<option_codec const&>;
    t.assign(bytes);
};

SONDE_NAMESPACE_END
