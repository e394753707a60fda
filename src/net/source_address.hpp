#pragma once

#include <sonde/net/interfaces.hpp>

#include <cstdint>
#include <span>
#include <vector>

/// Which of this host's addresses the kernel would send from. Pure: the same tables give the same address.
namespace sonde::inline v0::detail {

/// An IPv6 address as two numbers, which compare and mask faster than sixteen octets.
struct address_bits {
    std::uint64_t high = 0, low = 0;

    address_bits() = default;
    explicit address_bits(ipv6 const& a) : high(a.high()), low(a.low()) {}
    friend bool operator==(address_bits const&, address_bits const&) = default;
};

/// The number of leading bits, 0 to 128, in which two addresses agree.
unsigned common_prefix(address_bits const& a, address_bits const& b);

/// IPv4, as the kernel's inet_select_addr does: the first primary address of the interface whose scope is
/// `limit` or wider, one in whose subnet `towards` lies before others; else the first such address of any
/// interface, lo first. Unspecified when the host has none.
ipv4 select_source(interface_table const& interfaces, int interface, ipv4 towards, address_scope limit);

/// A row of the policy table of RFC 6724 §2.1 (`ip addrlabel`).
struct address_label {
    ipv6 prefix;
    std::uint8_t prefix_length = 0;
    int interface = 0;  ///< 0: any
    std::uint32_t label = 0;
};

/// IPv6 source selection: RFC 6724 §5 with Linux's additions (rules for ORCHIDs and optimistic addresses),
/// over the addresses of all interfaces. Whatever does not depend on the destination is worked out once, when
/// this is made.
class source_selector {
public:
    source_selector() = default;
    source_selector(interface_table const& interfaces, std::vector<address_label> const& labels);

    /// The source for packets that leave by `interface`; unspecified when there is no candidate. No
    /// allocation.
    ipv6 select(int interface, ipv6 const& destination) const;

private:
    struct candidate {
        ipv6 address;
        address_bits bits;
        int interface;
        int scope;
        std::uint32_t label;
        std::uint8_t prefix_length;
        bool preferred, home, wanted_privacy, not_optimistic, orchid;
    };

    struct target {  // what a destination asks of a source
        address_bits bits;
        int interface;
        int scope;
        std::uint32_t label;
        bool orchid;
    };
    struct label_row {
        address_bits prefix;
        std::uint8_t prefix_length;
        int interface;
        std::uint32_t label;
    };

    void add(kernel_interface const& i, interface_address const& a);
    std::uint32_t label_of(address_bits const& address, int interface) const;
    static std::uint64_t rate(candidate const& c, target const& to);

    std::vector<label_row> labels_;  // the longest prefix first
    std::vector<candidate> candidates_;
    std::vector<int> own_addresses_only_;  // interfaces that send from their own addresses alone
};

}  // namespace sonde::inline v0::detail
