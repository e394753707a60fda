#pragma once

#include <sonde/layers/raw.hpp>

namespace sonde {

struct igmp_types {
    static constexpr std::array<value_name, 4> names{{{0x11, "Group Membership Query"},
                                                      {0x12, "Version 1 - Membership Report"},
                                                      {0x16, "Version 2 - Membership Report"},
                                                      {0x17, "Leave Group"}}};
};

/// IGMP versions 1 and 2 (RFC 1112, RFC 2236 §2). `mrcode`: maximum response time in tenths of a second.
struct IGMP {
    field<enumerated<std::uint8_t, igmp_types>> type = 0x11;
    field<std::uint8_t> mrcode = 20;
    field<ipv4> gaddr = ipv4();
    field<std::uint16_t> chksum{};
};
SONDE_DECLARE_LAYER(IGMP, type, mrcode, chksum, gaddr)
layer_hooks hooks(IGMP const*);

}  // namespace sonde
