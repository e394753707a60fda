#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/icmpv6.hpp>

SONDE_NAMESPACE_BEGIN

/// @file
/// Multicast listener discovery: version 1 (RFC 2710 §3) and 2 (RFC 3810 §5), with Scapy's names. `mrd`:
/// maximum response delay, in milliseconds in version 1.

/// A query of version 1. Answered by reports of the address it asks for, one for `::` by those of any; also
/// by a report of version 2 that tells of it.
struct ICMPv6MLQuery {
    field<ipv6> mladdr = ipv6();        ///< the group that is asked for; `::`: any
    field<std::uint16_t> mrd = 10000;   ///< 10 s, as RFC 2710 §7.3 has it
    field<std::uint16_t> reserved = 0;  ///< reserved, ignored
    field<std::uint8_t> code = 0;       ///< always 0
    field<std::uint16_t> cksum{};       ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 130;      ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6MLQuery, type, code, cksum, mrd, reserved, mladdr)
layer_hooks hooks(ICMPv6MLQuery const*);  ///< checksum, and matching by address with reports

/// A report of version 1: somebody listens to the group.
struct ICMPv6MLReport {
    field<ipv6> mladdr = ipv6();        ///< the group; also `dst` of the packet, which no default tells
    field<std::uint16_t> mrd = 0;       ///< 0, ignored
    field<std::uint16_t> reserved = 0;  ///< reserved, ignored
    field<std::uint8_t> code = 0;       ///< always 0
    field<std::uint16_t> cksum{};       ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 131;      ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6MLReport, type, code, cksum, mrd, reserved, mladdr)
layer_hooks hooks(ICMPv6MLReport const*);  ///< checksum, and the key of the query; nothing answers it

/// A listener of version 1 is leaving the group.
struct ICMPv6MLDone {
    field<ipv6> mladdr = ipv6();        ///< the group
    field<std::uint16_t> mrd = 0;       ///< 0, ignored
    field<std::uint16_t> reserved = 0;  ///< reserved, ignored
    field<std::uint8_t> code = 0;       ///< always 0
    field<std::uint16_t> cksum{};       ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 132;      ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6MLDone, type, code, cksum, mrd, reserved, mladdr)
layer_hooks hooks(ICMPv6MLDone const*);  ///< checksum, and the key of the query; nothing answers it

/// A query of version 2. `QQIC` and large `mrd` are codes (RFC 3810 §5.1.3, §5.1.9).
struct ICMPv6MLQuery2 {
    field<ipv6> mladdr = ipv6();            ///< the group that is asked for; `::`: any
    ipv6_list sources{};                    ///< those that are asked for; none: all of the group
    field<std::uint16_t> mrd = 10000;       ///< milliseconds below 32768
    field<bits<1>> S = 0;                   ///< routers leave their timers alone (RFC 3810 §5.1.7)
    field<bits<3>> QRV = 0;                 ///< the querier's robustness variable, 0 over 7 (RFC 3810 §5.1.8)
    field<std::uint8_t> QQIC = 0;           ///< the querier's interval: seconds below 128
    field<std::uint16_t> sources_number{};  ///< counted when automatic
    field<bits<4>> Resv = 0;                ///< reserved, ignored
    field<std::uint16_t> reserved = 0;      ///< reserved, ignored
    field<std::uint8_t> code = 0;           ///< always 0
    field<std::uint16_t> cksum{};           ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 130;          ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6MLQuery2, type, code, cksum, mrd, reserved, mladdr, Resv, S, QRV, QQIC,
                    sources_number, sources)
/// Checksum, count of sources, length, and matching by address with reports.
layer_hooks hooks(ICMPv6MLQuery2 const*);

/// A record of a report (RFC 3810 §5.2.4). `auxdata_len` counts bytes, as Scapy's; the RFC has
/// units of 4 (§5.2.6).
struct ICMPv6MLDMultAddrRec {
    field<ipv6> dst = ipv6();               ///< the group
    field<std::uint8_t> rtype = 4;          ///< 1 to 6 (RFC 3810 §5.2.12); 4 changes to exclude mode
    ipv6_list sources{};                    ///< up to 32 are held inside
    field<octets> auxdata{};                ///< of which RFC 3810 §5.2.10 defines none
    field<std::uint16_t> sources_number{};  ///< counted when automatic
    field<std::uint8_t> auxdata_len{};      ///< computed
};
SONDE_DECLARE_LAYER(ICMPv6MLDMultAddrRec, rtype, auxdata_len, sources_number, dst, sources, auxdata)
/// Count of sources, length of the auxiliary data, and of the record.
layer_hooks hooks(ICMPv6MLDMultAddrRec const*);

/// Records of a report, encoded one behind the other. Inside: up to 512 bytes.
struct mld_records : encoded_list<512> {
    mld_records() = default;
    /// Record layers: `{ICMPv6MLDMultAddrRec{.dst = "ff02::5"}}`. Throws header_too_long over 512 bytes.
    template <std::same_as<ICMPv6MLDMultAddrRec>... Record>
        requires(sizeof...(Record) > 0)
    mld_records(Record const&... record) {
        (add(packet(record)), ...);
    }
    /// How they print and read: as layers; what is no whole record as bytes.
    static option_codec const& codec();

private:
    void add(packet const& record);
};

/// A report of version 2.
struct ICMPv6MLReport2 {
    mld_records records{};                  ///< of one group each
    field<std::uint16_t> records_number{};  ///< counted when automatic
    field<std::uint16_t> reserved = 0;      ///< reserved, ignored
    field<std::uint8_t> res = 0;            ///< reserved, ignored
    field<std::uint16_t> cksum{};           ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 143;          ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6MLReport2, type, res, cksum, reserved, records_number, records)
/// Checksum, count of records, and the key of the query. Nothing answers it.
layer_hooks hooks(ICMPv6MLReport2 const*);

SONDE_NAMESPACE_END
