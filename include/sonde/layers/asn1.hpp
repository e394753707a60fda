#pragma once

#include <sonde/layers/raw.hpp>

#include <optional>
#include <string>

SONDE_NAMESPACE_BEGIN

/// @file
/// ASN.1 values, encoded by BER (X.690) with tag and length as they lie on the wire, for layers that are
/// made of them. In expressions a bare number or text, or Scapy's `ASN1_INTEGER(5)`, `ASN1_STRING(b'x')`,
/// `ASN1_OID('1.3.6')`; one that was encoded otherwise than BER's shortest form prints its bytes too, as
/// `ASN1_INTEGER(5, ber=b'\x02\x02\x00\x05')`. A list is a set.

/// INTEGER (X.690 §8.3); 0 by default.
struct asn1_integer : encoded_list<11> {
    asn1_integer() : asn1_integer(0) {}
    /// In the shortest form; all 64 bits of signed and unsigned numbers.
    template <std::integral I>
    asn1_integer(I number) {
        encode(static_cast<std::uint64_t>(number), std::cmp_less(number, 0));
    }
    /// Nothing for what is no INTEGER, or doesn't fit 64 bits with a sign.
    std::optional<std::int64_t> value() const;
    static option_codec const& codec();  ///< `ASN1_INTEGER(5)`; a number is read too

private:
    void encode(std::uint64_t low, bool negative);
};

/// OCTET STRING (X.690 §8.7); empty by default.
struct asn1_string : encoded_list<256> {
    asn1_string() : asn1_string("") {}
    /// Copies the octets, up to 253 of them; throws header_too_long above.
    /// @{
    asn1_string(std::string_view text);
    asn1_string(char const* text) : asn1_string(std::string_view(text)) {}
    asn1_string(std::string const& text) : asn1_string(std::string_view(text)) {}
    /// @}
    /// The octets, valid while this value and the packet that it is from live; empty for what is no OCTET
    /// STRING.
    std::string_view value() const;
    static option_codec const& codec();  ///< `ASN1_STRING(b'x')`; text and bytes are read too
};

/// OBJECT IDENTIFIER (X.690 §8.19), as numbers with points between: "1.3.6.1.2.1.1.1.0".
struct asn1_oid : encoded_list<160> {
    asn1_oid() : asn1_oid("") {}
    /// Points before and behind are passed over; "" has no contents. Throws bad_text for other text, numbers
    /// over 64 bits and a first one over 1000; header_too_long when tag, length and contents exceed 160
    /// bytes.
    /// @{
    asn1_oid(std::string_view text);
    asn1_oid(char const* text) : asn1_oid(std::string_view(text)) {}
    asn1_oid(std::string const& text) : asn1_oid(std::string_view(text)) {}
    /// @}
    /// Without a leading point; empty for what is no OBJECT IDENTIFIER.
    std::string to_string() const;
    /// The text is read as the constructor reads it; what it refuses is equal to none.
    friend bool operator==(asn1_oid const& a, std::string_view text) { return a.equals(text); }
    static option_codec const& codec();  ///< `ASN1_OID('1.3')`; text is read too

private:
    bool equals(std::string_view text) const;
};

/// Tags of what SNMP's values are (RFC 2578 §7.1, RFC 3416 §3), and of BOOLEAN.
enum class asn1_tag : std::uint8_t {
    boolean = 0x01,
    integer = 0x02,
    octet_string = 0x04,
    null = 0x05,
    oid = 0x06,
    ip_address = 0x40,
    counter32 = 0x41,         ///< goes round at 2^32
    gauge32 = 0x42,           ///< stays at 2^32 - 1 while there is more
    time_ticks = 0x43,        ///< hundredths of a second
    opaque = 0x44,            ///< octets that encode another value
    counter64 = 0x46,         ///< goes round at 2^64
    no_such_object = 0x80,    ///< instead of a value (RFC 3416 §3)
    no_such_instance = 0x81,  ///< instead of a value, too
    end_of_mib_view = 0x82    ///< instead of a value: no variable follows
};

/// A value of any type; NULL by default. Holds 256 bytes with tag and length: throws header_too_long above.
struct asn1_value : encoded_list<256> {
    asn1_value() : asn1_value(asn1_tag::null, "") {}
    template <std::integral I>
    asn1_value(I number) : asn1_value(asn1_tag::integer, number) {}  ///< an INTEGER
    /// An OCTET STRING: copies the octets.
    /// @{
    asn1_value(char const* text) : asn1_value(asn1_tag::octet_string, std::string_view(text)) {}
    asn1_value(std::string_view text) : asn1_value(asn1_tag::octet_string, text) {}
    asn1_value(std::string const& text) : asn1_value(asn1_tag::octet_string, std::string_view(text)) {}
    /// @}
    asn1_value(ipv4 address);                                ///< an IpAddress
    asn1_value(asn1_oid const& oid) { append(oid.view()); }  ///< an OBJECT IDENTIFIER
    /// A number of another type: `asn1_value(asn1_tag::counter32, 7)`.
    template <std::integral I>
    asn1_value(asn1_tag type, I number) {
        encode(type, static_cast<std::uint64_t>(number), std::cmp_less(number, 0));
    }
    /// Contents as they are encoded, whether or not they fit the type.
    asn1_value(asn1_tag type, std::string_view contents);

    /// The tag, which may be none of the named ones; 0 when there are no bytes.
    asn1_tag type() const { return static_cast<asn1_tag>(empty() ? 0 : view()[0]); }
    /// The number of a type that is one and has at most 64 bits; of COUNTER64 from 2^63 on, its low 64 bits.
    std::optional<std::int64_t> number() const;
    /// The contents, without tag and length, valid while this value and the packet that it is from live.
    /// Empty when it isn't whole.
    std::string_view contents() const;
    /// As expressions have it: `ASN1_COUNTER32(7)`; `ASN1_BADTAG(b'..')` for what cannot be read.
    std::string to_string() const;
    static option_codec const& codec();  ///< typed calls; bare numbers, text, bytes and None are read too

private:
    void encode(asn1_tag type, std::uint64_t low, bool negative);
};

/// An IpAddress (RFC 2578 §7.1.5); 0.0.0.0 by default.
struct asn1_ip_address : encoded_list<8> {
    asn1_ip_address() : asn1_ip_address(ipv4()) {}
    asn1_ip_address(ipv4 address);  ///< its four octets
    /// Dotted text; throws bad_text for what is no IPv4 address.
    template <std::size_t N>
    asn1_ip_address(char const (&text)[N]) : asn1_ip_address(ipv4(std::string_view(text, N - 1))) {}
    static option_codec const& codec();  ///< `ASN1_IPADDRESS('192.0.2.1')`; text is read too
};
/// TimeTicks (RFC 2578 §7.1.8): hundredths of a second, modulo 2^32.
struct asn1_time_ticks : encoded_list<11> {
    asn1_time_ticks(std::uint32_t hundredths = 0);  ///< in the shortest form
    static option_codec const& codec();             ///< `ASN1_TIME_TICKS(100)`; a number is read too
};

SONDE_NAMESPACE_END
