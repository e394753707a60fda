#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/net/exchange.hpp>
#include <sonde/net/explanation.hpp>
#include <sonde/net/source.hpp>

#include "packet/spares.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

/// The layer that quotes a packet, if one does: an ICMP error.
layer_view error_of(packet_view const& received) {
    auto quoted = std::ranges::find_if(received.layers, &layer_span::quoted);
    if (quoted == received.layers.end() || quoted == received.layers.begin()) return {};
    return {received, static_cast<std::size_t>(quoted - received.layers.begin() - 1)};
}

ip_address sender_of(layer_view below) {
    for (; below; below = below.lower()) {
        if (below.is<IP>()) return below.get<&IP::src>();
        if (below.is<IPv6>()) return below.get<&IPv6::src>();
    }
    return {};
}

}  // namespace

probe_outcome exchange::outcome() const {
    using kind = probe_outcome::kind;
    if (!answered()) {
        if (failure == boost::asio::error::operation_aborted) return {.what = kind::cancelled};
        if (failure) return {.what = kind::send_failed, .error = failure};
        return {.what = kind::timed_out};
    }
    auto error = error_of(received.view());
    if (!error || error.header().size() < 2) return {.what = kind::answered};
    // Types and codes are the first two bytes of ICMP (RFC 792) and ICMPv6 (RFC 4443) alike.
    return {.what = kind::icmp_error,
            .type = std::to_integer<std::uint8_t>(error.header()[0]),
            .code = std::to_integer<std::uint8_t>(error.header()[1]),
            .router = sender_of(error)};
}

std::string exchange_list::summary() const {
    std::string text;
    for (auto const& x : *this) fmt::format_to(std::back_inserter(text), "{} ==> {}\n", x.sent, x.received);
    if (!text.empty()) text.pop_back();
    return text;
}

std::string packet_list::summary() const {
    std::string text;
    for (auto const& p : *this) fmt::format_to(std::back_inserter(text), "{}\n", p);
    if (!text.empty()) text.pop_back();
    return text;
}

namespace {

class set_source final : public detail::source_base {
public:
    explicit set_source(packet_set set) : set_(std::move(set)) {}
    std::optional<std::uint64_t> size() const override { return set_.size(); }
    packet at(std::uint64_t index, random_source& random) override { return set_.at(index, random); }
    packet_set const* set() const override { return &set_; }

    // Each sr1 has one.
    static void* operator new(std::size_t) { return memory().allocate(1); }
    static void operator delete(void* at) noexcept { memory().deallocate(static_cast<set_source*>(at), 1); }

private:
    using memory = detail::recycling_allocator<set_source>;

    packet_set set_;
};

}  // namespace

bool detail::is_several(packet const& p) {
    return p.is_template() && p.size() != 1;
}

packet detail::only_packet_of(packet const& element, std::uint64_t index, random_source& random) {
    if (is_several(element))
        throw_error(
            errc::not_a_single_value,
            fmt::format("packet {} of the view is a set of {}; std::views::join gives all its packets", index,
                        element.size()));
    return element.at(0, random);
}

packet_source::packet_source(packet set) : packet_source(packet_set(std::move(set))) {}
packet_source::packet_source(packet_set set) : source_(std::make_unique<set_source>(std::move(set))) {}

}  // namespace sonde::inline v0

auto fmt::formatter<sonde::exchange>::format(sonde::exchange const& x, format_context& context) const
    -> format_context::iterator {
    if (!is_summary_) {
        auto end = packet_.format(x.sent, context);
        if (!x.answered()) return end;
        *end++ = '\n';
        context.advance_to(end);
        return packet_.format(x.received, context);
    }
    if (x.round == 0 && !x.answered()) return fmt::format_to(context.out(), "{} ==> {}", x.sent, x.outcome());
    if (x.round == 0) return fmt::format_to(context.out(), "{} ==> {}", x.sent, x.received);
    // Scapy's number is that of the packets which the line tells.
    if (x.answered()) return fmt::format_to(context.out(), "RECV 1: {}", x.received);
    return fmt::format_to(context.out(), "fail 1: {}", x.sent);
}

auto fmt::formatter<sonde::probe_outcome>::format(sonde::probe_outcome const& o,
                                                  format_context& context) const -> format_context::iterator {
    using enum sonde::probe_outcome::kind;
    switch (o.what) {
        case answered: return fmt::format_to(context.out(), "answered");
        case icmp_error:
            return fmt::format_to(context.out(), "ICMP{} error {}/{} from {}", o.router.is_v6() ? "v6" : "",
                                  o.type, o.code, o.router.to_string());
        case timed_out: return fmt::format_to(context.out(), "timed out");
        case send_failed: return fmt::format_to(context.out(), "could not leave: {}", o.error.message());
        case cancelled: break;
    }
    return fmt::format_to(context.out(), "cancelled");
}

auto fmt::formatter<sonde::explanation::kind>::format(sonde::explanation::kind value,
                                                      format_context& context) const
    -> format_context::iterator {
    constexpr std::string_view names[] = {"matched", "duplicate", "late", "unrelated", "malformed"};
    return formatter<std::string_view>::format(names[static_cast<std::size_t>(value)], context);
}

auto fmt::formatter<sonde::explanation>::format(sonde::explanation const& e, format_context& context) const
    -> format_context::iterator {
    return fmt::format_to(context.out(), "{} {}: {}", e.what, e.received, e.reason);
}

auto fmt::formatter<sonde::send_report>::format(sonde::send_report const& r, format_context& context) const
    -> format_context::iterator {
    return fmt::format_to(context.out(), "Sent {} packets.", r.sent);
}
