#pragma once

#include <sonde/packet/packet.hpp>

#include <string>
#include <string_view>

// Lists whose entries are layers: IP options, IPv6 options, SCTP parameters, group records.
namespace sonde::inline v0::detail {

/// How the entries of a list lie one behind the other.
struct record_kind {
    std::string_view what;  ///< for errors: "an IP option, IPOption..(..)"
    /// Bytes of the first entry, of which there is at least one; may exceed them; 0: no entry here.
    std::size_t (*length)(std::span<std::byte const> bytes);
    /// The layer of an entry that is whole.
    layer_description const* (*layer)(std::span<std::byte const> entry);
    /// For an entry that its own layer does not tell exactly; null: it stays as bytes.
    layer_description const& (*fallback)() = nullptr;
    bool (*is_record)(layer_description const& layer);
    /// Entries are padded with zeros to a multiple of so many bytes; the list may end before the last one's.
    std::uint8_t multiple_of = 1;
};

literal print_records(record_kind const& kind, std::span<std::byte const> bytes);
std::string read_records(record_kind const& kind, literal const& list);
std::size_t count_records(record_kind const& kind, std::span<std::byte const> bytes);
/// Refuses what a program would put into a list and an expression could not: another layer, or a set of them.
void check_record(record_kind const& kind, packet const& record);
/// The octets of what passes that.
std::string built_record(record_kind const& kind, packet const& record);

template <record_kind const& Kind>
constexpr option_codec records_codec(std::uint8_t multiple_of) {
    return {.print = [](std::span<std::byte const> bytes,
                        std::span<std::byte const>) { return print_records(Kind, bytes); },
            .read = [](literal const& list, literal::call const*) { return read_records(Kind, list); },
            .count = [](std::span<std::byte const> bytes) { return count_records(Kind, bytes); },
            .leads = true,
            .layers = true,
            .multiple_of = multiple_of};
}

/// The fields of bytes that are known to be this layer.
literal value_of_layer(layer_description const& layer, std::span<std::byte const> bytes);

}  // namespace sonde::inline v0::detail
