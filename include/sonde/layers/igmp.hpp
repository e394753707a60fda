#pragma once

#include <sonde/layers/address_list.hpp>

namespace sonde {

struct igmp_types {
    static constexpr std::array<value_name, 4> names{{{0x11, "Group Membership Query"},
                                                      {0x12, "Version 1 - Membership Report"},
                                                      {0x16, "Version 2 - Membership Report"},
                                                      {0x17, "Leave Group"}}};
};
struct igmp3_types {
    static constexpr std::array<value_name, 5> names{{{0x11, "Membership Query"},
                                                      {0x22, "Version 3 Membership Report"},
                                                      {0x30, "Multicast Router Advertisement"},
                                                      {0x31, "Multicast Router Solicitation"},
                                                      {0x32, "Multicast Router Termination"}}};
};
struct igmp3_record_types {
    static constexpr std::array<value_name, 6> names{{{1, "Mode Is Include"},
                                                      {2, "Mode Is Exclude"},
                                                      {3, "Change To Include Mode"},
                                                      {4, "Change To Exclude Mode"},
                                                      {5, "Allow New Sources"},
                                                      {6, "Block Old Sources"}}};
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

/// What all messages of version 3 begin with (RFC 3376 §4; router discovery, RFC 4286): a query,
/// `IGMPv3{} / IGMPv3mq{.gaddr = "232.0.0.1"}`, or a report. `type`, and `mrcode` of a report, from the layer
/// inside. `mrcode` is a code from 128 on (RFC 3376 §4.1.1); `chksum` covers the message.
struct IGMPv3 {
    field<enumerated<std::uint8_t, igmp3_types>, 0x11> type{};
    field<std::uint8_t, 20> mrcode{};
    field<std::uint16_t> chksum{};
};
SONDE_DECLARE_LAYER(IGMPv3, type, mrcode, chksum)
layer_hooks hooks(IGMPv3 const*);

/// A query (RFC 3376 §4.1). `qqic` is a code from 128 on.
struct IGMPv3mq {
    field<ipv4> gaddr = ipv4();
    ipv4_list srcaddrs{};
    field<bits<1>> s = 0;
    field<bits<3>> qrv = 0;
    field<std::uint8_t> qqic = 0;
    field<std::uint16_t> numsrc{};
    field<bits<4>> resv = 0;
};
SONDE_DECLARE_LAYER(IGMPv3mq, gaddr, resv, s, qrv, qqic, numsrc, srcaddrs)
layer_hooks hooks(IGMPv3mq const*);

/// A record of a report (RFC 3376 §4.2.4). `auxdlen` counts words of 4 bytes, which Scapy has no field for.
struct IGMPv3gr {
    field<ipv4> maddr = ipv4();
    field<enumerated<std::uint8_t, igmp3_record_types>> rtype = 1;
    ipv4_list srcaddrs{};
    field<std::uint8_t> auxdlen = 0;
    field<std::uint16_t> numsrc{};
};
SONDE_DECLARE_LAYER(IGMPv3gr, rtype, auxdlen, numsrc, maddr, srcaddrs)
layer_hooks hooks(IGMPv3gr const*);

struct igmp3_records : encoded_list<512> {
    igmp3_records() = default;
    template <std::same_as<IGMPv3gr>... Record>
        requires(sizeof...(Record) > 0)
    igmp3_records(Record const&... record) {
        (add(packet(record)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& record);
};

/// A report (RFC 3376 §4.2).
struct IGMPv3mr {
    igmp3_records records{};
    field<std::uint16_t> numgrp{};
    field<std::uint16_t> res2 = 0;
};
SONDE_DECLARE_LAYER(IGMPv3mr, res2, numgrp, records)
layer_hooks hooks(IGMPv3mr const*);

/// A multicast router's advertisement (RFC 4286 §3.1). `qryIntvl` in seconds.
struct IGMPv3mra {
    field<std::uint16_t> qryIntvl = 0, robust = 0;
};
SONDE_DECLARE_LAYER(IGMPv3mra, qryIntvl, robust)
layer_hooks hooks(IGMPv3mra const*);

}  // namespace sonde
