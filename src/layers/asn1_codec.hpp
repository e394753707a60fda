#pragma once

#include <sonde/layers/asn1.hpp>

// How fields that are ASN.1 values print and are read.
namespace sonde::inline v0::detail {

/// `ASN1_INTEGER(5)`; what is no value that its type tells, `ASN1_BADTAG(b'..')` with all its bytes.
literal print_asn1(std::span<std::byte const> bytes);

/// The encoded value of a field of type `wanted`; nothing: of any type. Names stand for numbers.
std::string read_asn1(literal const& list, std::optional<asn1_tag> wanted, value_names names = {});

inline constexpr value_names no_names{};

template <asn1_tag Type, value_names const& Names = no_names>
constexpr option_codec asn1_codec{
    .print = [](std::span<std::byte const> bytes, std::span<std::byte const>) { return print_asn1(bytes); },
    .read = [](literal const& list, literal::call const*) { return read_asn1(list, Type, Names); },
    .text = true,
    .one = true,
    .typed = true,
    .multiple_of = 1};

}  // namespace sonde::inline v0::detail
