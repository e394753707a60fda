#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/icmpv6.hpp>

namespace sonde {

/// Multicast listener discovery: version 1 (RFC 2710 §3) and 2 (RFC 3810 §5), with Scapy's names. `mrd`:
/// maximum response delay, in milliseconds in version 1.

/// A query is answered by reports of the address it asks for; one for `::` by any report.
struct ICMPv6MLQuery {
    field<ipv6> mladdr = ipv6();
    field<std::uint16_t> mrd = 10000;
    field<std::uint16_t> reserved = 0;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 130;
};
SONDE_DECLARE_LAYER(ICMPv6MLQuery, type, code, cksum, mrd, reserved, mladdr)
layer_hooks hooks(ICMPv6MLQuery const*);

struct ICMPv6MLReport {
    field<ipv6> mladdr = ipv6();
    field<std::uint16_t> mrd = 0;
    field<std::uint16_t> reserved = 0;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 131;
};
SONDE_DECLARE_LAYER(ICMPv6MLReport, type, code, cksum, mrd, reserved, mladdr)
layer_hooks hooks(ICMPv6MLReport const*);

struct ICMPv6MLDone {
    field<ipv6> mladdr = ipv6();
    field<std::uint16_t> mrd = 0;
    field<std::uint16_t> reserved = 0;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 132;
};
SONDE_DECLARE_LAYER(ICMPv6MLDone, type, code, cksum, mrd, reserved, mladdr)
layer_hooks hooks(ICMPv6MLDone const*);

/// A query of version 2. `QQIC` and large `mrd` are codes (RFC 3810 §5.1.3, §5.1.9).
struct ICMPv6MLQuery2 {
    field<ipv6> mladdr = ipv6();
    ipv6_list sources{};
    field<std::uint16_t> mrd = 10000;
    field<bits<1>> S = 0;
    field<bits<3>> QRV = 0;
    field<std::uint8_t> QQIC = 0;
    field<std::uint16_t> sources_number{};
    field<bits<4>> Resv = 0;
    field<std::uint16_t> reserved = 0;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 130;
};
SONDE_DECLARE_LAYER(ICMPv6MLQuery2, type, code, cksum, mrd, reserved, mladdr, Resv, S, QRV, QQIC,
                    sources_number, sources)
layer_hooks hooks(ICMPv6MLQuery2 const*);

/// A record of a report (RFC 3810 §5.2.4). `auxdata_len` counts units of 4 bytes.
struct ICMPv6MLDMultAddrRec {
    field<ipv6> dst = ipv6();
    field<std::uint8_t> rtype = 4;
    ipv6_list sources{};
    field<octets> auxdata{};
    field<std::uint16_t> sources_number{};
    field<std::uint8_t> auxdata_len{};
};
SONDE_DECLARE_LAYER(ICMPv6MLDMultAddrRec, rtype, auxdata_len, sources_number, dst, sources, auxdata)
layer_hooks hooks(ICMPv6MLDMultAddrRec const*);

struct mld_records : encoded_list<512> {
    mld_records() = default;
    template <std::same_as<ICMPv6MLDMultAddrRec>... Record>
        requires(sizeof...(Record) > 0)
    mld_records(Record const&... record) {
        (add(packet(record)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& record);
};

/// A report of version 2.
struct ICMPv6MLReport2 {
    mld_records records{};
    field<std::uint16_t> records_number{};
    field<std::uint16_t> reserved = 0;
    field<std::uint8_t> res = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 143;
};
SONDE_DECLARE_LAYER(ICMPv6MLReport2, type, res, cksum, reserved, records_number, records)
layer_hooks hooks(ICMPv6MLReport2 const*);

}  // namespace sonde
