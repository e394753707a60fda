// A frame of any link type: dissected, printed in every way, read back from its expression and built.

#include "fuzz.hpp"

using namespace sonde;
using namespace sonde::test;

SONDE_FUZZ_TARGET(in) {
    constexpr link_type links[] = {link_type::ethernet,  link_type::null,       link_type::raw,
                                   link_type::linux_sll, link_type::linux_sll2, link_type::ipv4,
                                   link_type::ipv6,      link_type(9999)};
    auto link = links[in.choice(std::size(links))];
    check_frame(in.rest(), link);
    return kept;
}
