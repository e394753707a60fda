#include <sonde/layers/ip_options.hpp>

#include "record_list.hpp"

namespace sonde::inline v0 {
namespace {

using detail::record_kind;
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

constexpr record_kind ip_option_kind{
    .what = "an IP option, IPOption..(..)",
    .length =
        [](header bytes) {
            auto length = length_of(bytes);
            return is_single_octet(std::to_integer<unsigned>(bytes[0])) || length >= 2 ? length : 0;
        },
    .layer = [](header bytes) { return &description_of(std::to_integer<unsigned>(bytes[0]) & 31); },
    .fallback = describe<IPOption>,
    .is_record = [](layer_description const& layer) { return layer.name.starts_with("IPOption"); }};

}  // namespace

layer_hooks ip_option_hooks(std::string_view title) {
    bool has_length = title != IPOption_EOL::title && title != IPOption_NOP::title;
    return {
        .title = title, .rules = rules, .header_length = length_of, .finish = has_length ? finish : nullptr};
}

option_codec const& ip_options::codec() {
    static constexpr auto codec = detail::records_codec<ip_option_kind>(4);
    return codec;
}

}  // namespace sonde::inline v0
