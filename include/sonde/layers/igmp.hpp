#pragma once

#include <sonde/layers/address_list.hpp>

SONDE_NAMESPACE_BEGIN

/// Types of IGMP versions 1 and 2 (RFC 2236 §2.1), with Scapy's names.
struct igmp_types {
    /// What `show` prints and text is looked up in.
    static constexpr std::array<value_name, 4> names{{{0x11, "Group Membership Query"},
                                                      {0x12, "Version 1 - Membership Report"},
                                                      {0x16, "Version 2 - Membership Report"},
                                                      {0x17, "Leave Group"}}};
};
/// Types of IGMP version 3 (RFC 3376 §4) and of router discovery (RFC 4286), with Scapy's names.
struct igmp3_types {
    /// What `show` prints and text is looked up in.
    static constexpr std::array<value_name, 5> names{{{0x11, "Membership Query"},
                                                      {0x22, "Version 3 Membership Report"},
                                                      {0x30, "Multicast Router Advertisement"},
                                                      {0x31, "Multicast Router Solicitation"},
                                                      {0x32, "Multicast Router Termination"}}};
};
/// Types of group records (RFC 3376 §4.2.12), with Scapy's names.
struct igmp3_record_types {
    /// What `show` prints and text is looked up in.
    static constexpr std::array<value_name, 6> names{{{1, "Mode Is Include"},
                                                      {2, "Mode Is Exclude"},
                                                      {3, "Change To Include Mode"},
                                                      {4, "Change To Exclude Mode"},
                                                      {5, "Allow New Sources"},
                                                      {6, "Block Old Sources"}}};
};

/// IGMP versions 1 and 2 (RFC 1112, RFC 2236 §2). `mrcode`: maximum response time in tenths of a second.
struct IGMP {
    field<enumerated<std::uint8_t, igmp_types>> type = 0x11;  ///< a query by default
    field<std::uint8_t> mrcode = 20;                          ///< counts in queries only
    field<ipv4> gaddr = ipv4();                               ///< the group; 0.0.0.0 in a query: all
    field<std::uint16_t> chksum{};  ///< of the message, its payload included; computed
};
SONDE_DECLARE_LAYER(IGMP, type, mrcode, chksum, gaddr)
layer_hooks hooks(IGMP const*);  ///< checksum, and length: 8 bytes

/// What all messages of version 3 begin with (RFC 3376 §4; router discovery, RFC 4286): a query,
/// `IGMPv3{} / IGMPv3mq{.gaddr = "232.0.0.1"}`, or a report. `type`, and `mrcode` of a report, from the layer
/// inside. `mrcode` is a code from 128 on (RFC 3376 §4.1.1); `chksum` covers the message.
struct IGMPv3 {
    field<enumerated<std::uint8_t, igmp3_types>, 0x11> type{};  ///< automatic alone: 0x11, a query
    /// Tenths of a second; of an advertisement its interval in seconds (RFC 4286).
    field<std::uint8_t, 20> mrcode{};
    field<std::uint16_t> chksum{};  ///< computed
};
SONDE_DECLARE_LAYER(IGMPv3, type, mrcode, chksum)
layer_hooks hooks(IGMPv3 const*);  ///< checksum

/// A query (RFC 3376 §4.1). `qqic` is a code from 128 on.
struct IGMPv3mq {
    field<ipv4> gaddr = ipv4();     ///< the group; 0.0.0.0: all
    ipv4_list srcaddrs{};           ///< those that are asked for; none: all of the group
    field<bits<1>> s = 0;           ///< routers leave their timers alone (RFC 3376 §4.1.5)
    field<bits<3>> qrv = 0;         ///< the querier's robustness variable, 0 over 7 (RFC 3376 §4.1.6)
    field<std::uint8_t> qqic = 0;   ///< the querier's interval: seconds below 128
    field<std::uint16_t> numsrc{};  ///< counted when automatic
    field<bits<4>> resv = 0;        ///< reserved, ignored
};
SONDE_DECLARE_LAYER(IGMPv3mq, gaddr, resv, s, qrv, qqic, numsrc, srcaddrs)
layer_hooks hooks(IGMPv3mq const*);  ///< count of sources, and length

/// A record of a report (RFC 3376 §4.2.4). `auxdlen` counts words of 4 bytes, which Scapy has no field for.
struct IGMPv3gr {
    field<ipv4> maddr = ipv4();                                     ///< the group
    field<enumerated<std::uint8_t, igmp3_record_types>> rtype = 1;  ///< the number, or one of the names
    ipv4_list srcaddrs{};                                           ///< up to 64 are held inside
    field<std::uint8_t> auxdlen = 0;                                ///< not computed
    field<std::uint16_t> numsrc{};                                  ///< counted when automatic
};
SONDE_DECLARE_LAYER(IGMPv3gr, rtype, auxdlen, numsrc, maddr, srcaddrs)
layer_hooks hooks(IGMPv3gr const*);  ///< count of sources, and length

/// Records of a report, encoded one behind the other. Inside: up to 512 bytes.
struct igmp3_records : encoded_list<512> {
    igmp3_records() = default;
    /// Record layers: `{IGMPv3gr{.maddr = "232.1.1.1"}}`. Throws header_too_long over 512 bytes.
    template <std::same_as<IGMPv3gr>... Record>
        requires(sizeof...(Record) > 0)
    igmp3_records(Record const&... record) {
        (add(packet(record)), ...);
    }
    /// How they print and read: as layers; what is no whole record, or has auxiliary data, as bytes.
    static option_codec const& codec();

private:
    void add(packet const& record);
};

/// A report (RFC 3376 §4.2).
struct IGMPv3mr {
    igmp3_records records{};        ///< of one group each
    field<std::uint16_t> numgrp{};  ///< counted when automatic
    field<std::uint16_t> res2 = 0;  ///< reserved, ignored
};
SONDE_DECLARE_LAYER(IGMPv3mr, res2, numgrp, records)
layer_hooks hooks(IGMPv3mr const*);  ///< count of records, and length

/// A multicast router's advertisement (RFC 4286 §3.2). `qryIntvl` in seconds.
struct IGMPv3mra {
    /// The querier's interval and its robustness variable.
    /// @{
    field<std::uint16_t> qryIntvl = 0, robust = 0;
    /// @}
};
SONDE_DECLARE_LAYER(IGMPv3mra, qryIntvl, robust)
layer_hooks hooks(IGMPv3mra const*);  ///< nothing beyond the fields

SONDE_NAMESPACE_END
