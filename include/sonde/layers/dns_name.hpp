#pragma once

#include <sonde/packet/option_list.hpp>

#include <string>

SONDE_NAMESPACE_BEGIN

/// A domain name (RFC 1035 §3.1), held as its labels lie on the wire. Text: "example.com" or "example.com.",
/// with `\\.` and `\\DDD` for bytes that are no letters; "" and "." are the root. Throws bad_text for an
/// empty label, one over 63 bytes, a name over 255, or a `\\DDD` over 255.
struct domain_name : encoded_list<255> {
    domain_name() : domain_name(std::string_view()) {}  ///< the root
    /// Copies the text, as labels; it need not live on.
    /// @{
    domain_name(std::string_view text) { assign_text(text); }
    domain_name(char const* text) { assign_text(text); }
    domain_name(std::string const& text) { assign_text(text); }
    /// @}
    /// With the final dot. Escaped: dots and backslashes of labels, blanks, and what doesn't print. Empty
    /// when the bytes are no whole name, as of a compressed one.
    std::string to_string() const;
    /// Without regard to the case of ASCII letters (RFC 4343), nor to the final dot of the text.
    /// Throws bad_text for text that is no name.
    friend bool operator==(domain_name const& a, std::string_view text) { return a.equals(text); }
    static option_codec const& codec();  ///< text; bytes where they are no whole name

private:
    void assign_text(std::string_view text);
    bool equals(std::string_view text) const;
};

/// Domain names one behind the other, uncompressed, padded with zeros to a multiple of 8 (RFC 8106 §5.2):
/// `["example.com.", "sub.example.org."]`. Holds 256 bytes: throws header_too_long above.
struct padded_domain_names : encoded_list<256> {
    padded_domain_names() = default;
    /// Names as domain_name reads them. The padding comes when the packet is made.
    template <std::convertible_to<std::string_view>... Name>
        requires(sizeof...(Name) > 0)
    padded_domain_names(Name const&... name) {
        (add(name), ...);
    }
    static option_codec const& codec();  ///< a list of text; bytes where they are no names

private:
    void add(std::string_view name);
};

SONDE_NAMESPACE_END
