#pragma once

#include <sonde/packet/literal.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

namespace sonde {

/// How one protocol's options print and read: `[("MSS", 1460), ("NOP", None)]`.
struct option_codec {
    /// The list, in the order of the bytes; what cannot be read as an option stays as bytes at the end.
    literal (*print)(std::span<std::byte const> bytes);
    /// The bytes of a list. Throws `error` that names the option.
    std::string (*read)(literal const& list);
    bool layers = false;  ///< the entries are layers; show() prints each with a title of its own
};

/// Encoded options inside a layer: up to 40 bytes, all that a 4-bit header length leaves to IP and TCP.
class option_bytes {
public:
    static constexpr std::size_t capacity = 40;

    constexpr option_bytes() = default;
    std::string_view view() const { return {data_, size_}; }
    std::span<std::byte const> bytes() const { return std::as_bytes(std::span(data_, size_)); }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    /// Takes over encoded options. Throws header_too_long over 40 bytes.
    void assign(std::span<std::byte const> bytes) {
        size_ = 0;
        append({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
    }
    friend bool operator==(option_bytes const& a, option_bytes const& b) { return a.view() == b.view(); }

protected:
    void append(std::string_view encoded);

private:
    char data_[capacity]{};
    std::uint8_t size_ = 0;
};

}  // namespace sonde
