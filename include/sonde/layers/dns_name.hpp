#pragma once

#include <sonde/packet/option_list.hpp>

#include <string>

namespace sonde {

/// Domain names one behind the other, uncompressed, padded with zeros to a multiple of 8 (RFC 8106 §5.2):
/// `["example.com.", "sub.example.org."]`.
struct padded_domain_names : encoded_list<256> {
    padded_domain_names() = default;
    template <std::convertible_to<std::string_view>... Name>
        requires(sizeof...(Name) > 0)
    padded_domain_names(Name const&... name) {
        (add(name), ...);
    }
    static option_codec const& codec();

private:
    void add(std::string_view name);
};

}  // namespace sonde
