#pragma once

#include <sonde/packet/packet.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace support {

/// Bytes as hexadecimal digits.
inline std::string hex(std::span<std::byte const> bytes) {
    std::string text;
    for (auto b : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
    return text;
}
inline std::string hex(std::string_view bytes) {
    return hex(std::as_bytes(std::span(bytes)));
}
inline std::string hex(std::string const& bytes) {
    return hex(std::string_view(bytes));
}
inline std::string hex(sonde::packet const& p) {
    return hex(p.build());
}

/// The reverse.
inline std::vector<std::byte> bytes(std::string_view hex_digits) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i + 1 < hex_digits.size(); i += 2)
        out.push_back(static_cast<std::byte>(sonde::detail::hex_digit(hex_digits[i]) << 4 |
                                             sonde::detail::hex_digit(hex_digits[i + 1])));
    return out;
}

}  // namespace support
