// Two frames: whether one answers the other, and under which keys a probe's table would look for it.

#include "fuzz.hpp"

#include "layers/ipv6_chain.hpp"
#include "support/hex.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/packet/match.hpp>

#include <algorithm>

using namespace sonde;
using namespace sonde::test;

namespace {

constexpr secret_key secret{};

/// A verdict of yes is one that a table of keys could have come to.
void check_keys(packet const& received, packet const& sent) {
    auto verdict = match(received.view(), sent.view());
    check_printable("why", verdict.why);
    auto keys = keys_of_answer(received.view(), secret);
    bool to_many = goes_to_many(sent.view());
    if (verdict.value != match_verdict::yes) {
        if (verdict.why.empty()) throw violation("a mismatch without a reason");
        return;
    }
    if (!keys.readable) throw violation("an answer without keys");
    for (auto reach : {key_reach::ports, key_reach::above})
        if (!keys.contain(key_of_probe(sent.view(), secret, to_many, reach), to_many) &&
            !(keys.is_error && reach == key_reach::above))
            throw violation("an answer of other keys than the probe's: " +
                            support::hex(received.view().bytes) + " to " + support::hex(sent.view().bytes));
}

/// True where the addresses tell a packet from one that comes back.
bool shows_direction(packet const& p) {
    auto layers = p.layers();
    std::size_t i = 0;
    while (i < layers.size() && is_link_layer({p.view(), i})) ++i;
    layer_view network(p.view(), i);
    if (network.is<ARP>()) return true;
    if (network.is<IP>())
        return network.has<&IP::dst>() && network.get<&IP::src>() != network.get<&IP::dst>();
    if (network.is<IPv6>())  // what is routed to its own sender comes back as it went
        return network.has<&IPv6::dst>() && network.get<&IPv6::src>() != detail::final_destination(network);
    return false;
}

void check_own(packet const& sent) {
    if (shows_direction(sent) && match(sent.view(), sent.view()).value == match_verdict::yes)
        throw violation("a packet that answers itself: " + support::hex(sent.view().bytes));
}

}  // namespace

SONDE_FUZZ_TARGET(in) {
    constexpr link_type links[] = {link_type::ethernet, link_type::raw, link_type::linux_sll,
                                   link_type::null};
    auto link = links[in.choice(std::size(links))];
    auto first = in.take(in.number());
    auto sent = dissect(first, link), received = dissect(in.rest(), link);
    check_keys(received, sent);
    check_keys(sent, received);
    check_own(sent);
    check_own(received);
    return kept;
}
