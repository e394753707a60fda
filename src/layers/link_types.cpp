#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/link_types.hpp>

namespace sonde::inline v0 {
namespace {

constexpr field_rule cooked_rules[] = {{.field = "lladdrtype", .hexadecimal = true},
                                       {.field = "src", .octets = 8},
                                       {.field = "proto", .hexadecimal = true}};

constexpr value_name families[] = {{2, "IPv4"},  {7, "OSI"},   {16, "Appletalk"}, {23, "Netware/IPX"},
                                   {24, "IPv6"}, {28, "IPv6"}, {30, "IPv6"}};
constexpr field_rule loopback_rules[] = {{.field = "type", .names = families}};

std::size_t loopback_length(std::span<std::byte const>) {
    return 4;
}

/// Address families of IPv6 differ between systems (pcap-linktype(7)); where none is told, Scapy reads IP.
void follow_loopback(dissect_step& step) {
    auto h = step.view.header();
    if (h.size() < 4) return;
    auto family = std::to_integer<unsigned>(h[0]) | std::to_integer<unsigned>(h[3]);
    bool v6 = family == 10 || family == 24 || family == 28 || family == 30;
    step.next = family == 0 || family == 2 ? &describe<IP>() : v6 ? &describe<IPv6>() : nullptr;
}

}  // namespace

layer_hooks hooks(Loopback const*) {
    return {.is_link = true,
            .rules = loopback_rules,
            .multiple_of = 4,
            .header_length = loopback_length,
            .follow = follow_loopback};
}
layer_hooks hooks(CookedLinux const*) {
    return {.title = "cooked linux", .is_link = true, .rules = cooked_rules};
}
layer_hooks hooks(CookedLinuxV2 const*) {
    return {.title = "cooked linux v2", .is_link = true, .rules = cooked_rules};
}

}  // namespace sonde::inline v0
