#pragma once

#include <sonde/packet/option_list.hpp>

#include <string>

namespace sonde {

/// A domain name (RFC 1035 §3.1), held as its labels lie on the wire. Text: "example.com" or "example.com.",
/// with
/// `\\.` and `\\DDD` for bytes that are no letters. Throws bad_text for a label over 63 bytes or a name over
/// 255.
struct domain_name : encoded_list<255> {
    domain_name() : domain_name(std::string_view()) {}
    domain_name(std::string_view text) { assign_text(text); }
    domain_name(char const* text) { assign_text(text); }
    domain_name(std::string const& text) { assign_text(text); }
    /// With the final dot; what is no letter escaped.
    std::string to_string() const;
    /// Without regard to the case of ASCII letters (RFC 4343), nor to the final dot of the text.
    friend bool operator==(domain_name const& a, std::string_view text) { return a.equals(text); }
    static option_codec const& codec();

private:
    void assign_text(std::string_view text);
    bool equals(std::string_view text) const;
};

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
