#include <sonde/layers/ip_options.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include "../packet/reading.hpp"

#include <algorithm>

namespace sonde {
namespace {

using detail::fail;
using header = std::span<std::byte const>;

constexpr value_name option_names[] = {{0, "end_of_list"},
                                       {1, "nop"},
                                       {2, "security"},
                                       {3, "loose_source_route"},
                                       {4, "timestamp"},
                                       {5, "extended_security"},
                                       {6, "commercial_security"},
                                       {7, "record_route"},
                                       {8, "stream_id"},
                                       {9, "strict_source_route"},
                                       {10, "experimental_measurement"},
                                       {11, "mtu_probe"},
                                       {12, "mtu_reply"},
                                       {13, "flow_control"},
                                       {14, "access_control"},
                                       {15, "encode"},
                                       {16, "imi_traffic_descriptor"},
                                       {17, "extended_IP"},
                                       {18, "traceroute"},
                                       {19, "address_extension"},
                                       {20, "router_alert"},
                                       {21, "selective_directed_broadcast_mode"},
                                       {23, "dynamic_packet_state"},
                                       {24, "upstream_multicast_packet"},
                                       {25, "quick_start"},
                                       {30, "rfc4727_experiment"}};

bool stamps_addresses(header h) {
    return h.size() > 3 && (std::to_integer<unsigned>(h[3]) & 15) != 0;
}

constexpr value_name stamp_kinds[] = {
    {0, "timestamp_only"}, {1, "timestamp_and_ip_addr"}, {3, "prespecified_ip_addr"}};
constexpr value_name alerts[] = {{0, "router_shall_examine_packet"}};

constexpr field_rule rules[] = {{.field = "optclass", .names = ip_option_classes::names},
                                {.field = "option", .names = option_names},
                                {.field = "flg", .names = stamp_kinds},
                                {.field = "alert", .names = alerts},
                                {.field = "internet_address", .present = stamps_addresses}};

constexpr bool is_single_octet(unsigned type) {
    return (type & 31) <= 1;  // the end and NOP, whatever their copy flag and class
}

std::size_t length_of(header bytes) {
    if (is_single_octet(std::to_integer<unsigned>(bytes[0]))) return 1;
    return bytes.size() < 2 ? 0 : std::to_integer<std::size_t>(bytes[1]);
}

void finish(build_step& step) {
    step.fill<&IPOption::length>(step.header().size());
}

// --- bytes to list ---------------------------------------------------------------------------------

layer_description const& description_of(unsigned number) {
    static constexpr std::pair<unsigned, layer_description const& (*)()> known[] = {
        {0, describe<IPOption_EOL>},           {1, describe<IPOption_NOP>},
        {2, describe<IPOption_Security>},      {3, describe<IPOption_LSRR>},
        {4, describe<IPOption_Timestamp>},     {7, describe<IPOption_RR>},
        {8, describe<IPOption_Stream_Id>},     {9, describe<IPOption_SSRR>},
        {11, describe<IPOption_MTU_Probe>},    {12, describe<IPOption_MTU_Reply>},
        {18, describe<IPOption_Traceroute>},   {19, describe<IPOption_Address_Extension>},
        {20, describe<IPOption_Router_Alert>}, {21, describe<IPOption_SDBM>}};
    for (auto [option, description] : known)
        if (option == number) return description();
    return describe<IPOption>();
}

literal as_layer(layer_description const& layer, header bytes) {
    layer_span span{.layer = &layer, .begin = 0, .end = static_cast<std::uint32_t>(bytes.size())};
    return value_of(layer_view({.bytes = bytes, .layers = {&span, 1}}, 0));
}

bool reads_back(literal const& option, header bytes) try {
    return std::ranges::equal(make_packet(option).view().bytes, bytes);
} catch (error const&) {
    return false;
}

/// An option that its own layer does not tell exactly is told by its number and data.
literal print_option(header bytes) {
    auto option = as_layer(description_of(std::to_integer<unsigned>(bytes[0]) & 31), bytes);
    return reads_back(option, bytes) ? option : as_layer(describe<IPOption>(), bytes);
}

literal::bytes as_bytes(header bytes) {
    return {{reinterpret_cast<char const*>(bytes.data()), bytes.size()}};
}

literal print(header bytes) {
    literal::list list;
    while (!bytes.empty()) {
        auto length = length_of(bytes);
        if (length > bytes.size() || (length < 2 && !is_single_octet(std::to_integer<unsigned>(bytes[0])))) {
            list.items.emplace_back(as_bytes(bytes));
            break;
        }
        list.items.push_back(print_option(bytes.first(length)));
        bytes = bytes.subspan(length);
    }
    return list;
}

// --- list to bytes ---------------------------------------------------------------------------------

std::string read_option(literal const& item) {
    if (auto const* octets = detail::octets_of(item)) return *octets;
    auto const* call = item.as<literal::call>();
    if (!call || !call->name.starts_with("IPOption"))
        fail(errc::bad_text, item, "an IP option is IPOption..(..) or bytes, not {}",
             call ? escape(call->name) : std::string(detail::kind_of(item)));
    auto bytes = make_packet(item).build();
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::string read(literal const& value) {
    std::string out;
    for (auto const& item : value.as<literal::list>()->items) out += read_option(item);
    return out;
}

// --- lists of addresses ----------------------------------------------------------------------------

literal print_addresses(header bytes) {
    if (bytes.size() % 4 != 0) return as_bytes(bytes);
    literal::list list;
    for (; !bytes.empty(); bytes = bytes.subspan(4))
        list.items.emplace_back(value_traits<ipv4>::from_wire(read_bits(bytes, {0, 32})).to_string());
    return list;
}

std::string read_addresses(literal const& value) {
    std::string out;
    for (auto const& item : value.as<literal::list>()->items) {
        auto const* text = item.as<std::string>();
        auto address = text ? ipv4::parse(*text) : std::nullopt;
        if (!address) fail(errc::bad_text, item, "a list of IPv4 addresses, not of {}", to_python(item));
        for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(address->value >> shift);
    }
    return out;
}

}  // namespace

layer_hooks ip_option_hooks(std::string_view title) {
    bool has_length = title != IPOption_EOL::title && title != IPOption_NOP::title;
    return {
        .title = title, .rules = rules, .header_length = length_of, .finish = has_length ? finish : nullptr};
}

option_codec const& ip_options::codec() {
    static constexpr option_codec codec{.print = print, .read = read, .layers = true};
    return codec;
}

option_codec const& ipv4_list::codec() {
    static constexpr option_codec codec{.print = print_addresses, .read = read_addresses};
    return codec;
}

}  // namespace sonde
