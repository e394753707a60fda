#include <sonde/packet/address.hpp>

#include <fmt/format.h>

namespace sonde::inline v0 {

std::string ipv4::to_string() const {
    return fmt::format("{}.{}.{}.{}", value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255);
}

std::string mac::to_string() const {
    return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", octets[0], octets[1], octets[2],
                       octets[3], octets[4], octets[5]);
}

std::string ipv6::to_string() const {
    std::array<unsigned, 8> groups;
    for (std::size_t i = 0; i < 8; ++i)
        groups[i] = static_cast<unsigned>(octets[2 * i] << 8 | octets[2 * i + 1]);
    std::size_t gap = 8, gap_length = 1;  // the first longest run of two or more zero groups: RFC 5952 §4.2
    for (std::size_t i = 0; i < 8;) {
        std::size_t j = i;
        while (j < 8 && groups[j] == 0) ++j;
        if (j - i > gap_length) gap = i, gap_length = j - i;
        i = j > i ? j : i + 1;
    }
    // IPv4-mapped (RFC 5952 §5), and IPv4-compatible as glibc's inet_ntop has it: not `::1`, nor `::102`.
    bool holds_v4 = gap == 0 && (gap_length == 6 || (gap_length == 5 && groups[5] == 0xffff));
    std::string text;
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == 6 && holds_v4) {
            if (text.back() != ':') text += ':';
            return text + ipv4(static_cast<std::uint32_t>(low())).to_string();
        }
        if (i == gap) {
            text += "::";
            i += gap_length - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':') text += ':';
        fmt::format_to(std::back_inserter(text), "{:x}", groups[i]);
    }
    return text;
}

}  // namespace sonde::inline v0
