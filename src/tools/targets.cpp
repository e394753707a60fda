#include <sonde/error.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/packet/escape.hpp>
#include <sonde/packet/field.hpp>
#include <sonde/tools/targets.hpp>

#include "packet/error_context.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <istream>
#include <sstream>

namespace sonde::inline v0::tools {
namespace {

namespace asio = boost::asio;

[[noreturn]] void no_target(std::string_view word) {
    throw error(errc::bad_text,
                fmt::format("\"{}\" is no target: write an address, a network (198.18.0.0/24), a range "
                            "(198.18.0.1-9) or a host name",
                            escape(word)));
}

/// The last address of a range: whole, or only its last octet.
std::optional<ipv4> end_of_range(ipv4 first, std::string_view text) {
    if (auto octet = sonde::detail::decimal(text, 255)) return ipv4((first.value & ~0xffu) | *octet);
    return ipv4::parse(text);
}

/// The networks that a range is made of, the largest that fit, in order.
void append_range(ipv4 first, ipv4 last, std::vector<std::string>& out) {
    std::uint64_t from = first.value, to = last.value;
    while (from <= to) {
        auto bits = from == 0 ? 32u : static_cast<unsigned>(std::countr_zero(from));
        bits = std::min(bits, static_cast<unsigned>(std::bit_width(to - from + 1)) - 1);
        out.push_back(fmt::format("{}/{}", ipv4(static_cast<std::uint32_t>(from)).to_string(), 32 - bits));
        from += std::uint64_t(1) << bits;
    }
}

bool is_network(std::string_view word) {
    auto slash = word.find('/');
    auto address = ip_address::parse(word.substr(0, slash));
    if (!address) return false;
    return slash == word.npos || sonde::detail::decimal(word.substr(slash + 1), address->is_v4() ? 32 : 128);
}

/// Counts up through an interval of addresses.
template <class Use>
void for_each(address_set::interval const& i, Use const& use) {
    for (auto at = i.first;; ++at.low == 0 ? ++at.high : 0) {
        use(at);
        if (at.high == i.last.high && at.low == i.last.low) return;
    }
}

std::uint64_t count_of(address_set::interval const& i) {
    auto high = i.last.high - i.first.high - (i.last.low < i.first.low);
    auto low = i.last.low - i.first.low;
    if (high != 0 || low + 1 == 0) throw error(errc::set_too_large, "2^64 addresses or more");
    return low + 1;
}

/// Where the first layer has its destination.
std::size_t destination_field(packet const& probe) {
    return probe.layers()[0].layer == &describe<IPv6>() ? field_index<&IPv6::dst> : field_index<&IP::dst>;
}

packet marked_drawn(packet probe, bool drawn) {
    auto const bit = std::uint32_t(1) << destination_field(probe);
    if (((probe.layers()[0].drawn & bit) != 0) == drawn) return probe;
    auto parts = std::move(probe).release_parts();
    parts->layers[0].drawn ^= bit;
    return packet::from_parts(std::move(parts));
}

/// Headed to a host name, which is the address's text: any resolver gives that address for it.
packet marked_looked_up(packet probe, ip_address const& to) {
    sonde::detail::varying_field name;
    name.field = static_cast<std::uint32_t>(destination_field(probe));
    name.content.state = field_state::name;
    name.name = to.to_string();
    auto parts = std::move(probe).release_parts();
    parts->sets.push_back(std::move(name));
    return packet::from_parts(std::move(parts));
}

}  // namespace

void target_list::add(std::string_view word) {
    auto dash = word.find('-');
    auto first = ipv4::parse(word.substr(0, dash));
    if (dash != word.npos && first) {
        auto last = end_of_range(*first, word.substr(dash + 1));
        if (!last || *last < *first) no_target(word);
        append_range(*first, *last, networks_);
        add_interval(*first, *last);
    } else if (is_network(word)) {
        networks_.emplace_back(word);
        address_set const network(networks_.back());
        for (auto const& i : network.v4())
            add_interval(value_traits<ipv4>::from_wire(i.first), value_traits<ipv4>::from_wire(i.last));
        for (auto const& i : network.v6())
            add_interval(value_traits<ipv6>::from_wire(i.first), value_traits<ipv6>::from_wire(i.last));
    } else if (sonde::detail::is_host_name(word)) {
        names_.emplace_back(word);
    } else {
        no_target(word);
    }
}

void target_list::add_lines(std::istream& in, std::string_view name) {
    std::size_t number = 0;
    for (std::string line, word; ++number, std::getline(in, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        while (words >> word) try {
                add(word);
            } catch (error const& e) {
                throw error(errc::bad_text,
                            fmt::format("{}:{}: {}", escape(name), number, sonde::detail::context_of(e)));
            }
    }
}

asio::awaitable<void> target_list::resolve(bool v6) {
    // Nothing is forgotten before all have an address: what fails now may be looked up again.
    std::vector<ip_address> addresses;
    asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
    for (std::size_t i = 0; i < names_.size(); ++i) {
        auto const name = names_[i];  // others may be added meanwhile
        error_code ec;
        auto protocol = v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        auto found = co_await resolver.async_resolve(protocol, name, std::string(), token);
        if (ec || found.empty()) throw error(errc::host_not_found, escape(name));
        auto const first = found.begin()->endpoint().address();
        addresses.push_back(first.is_v6() ? ip_address(ipv6(first.to_v6().to_bytes()))
                                          : ip_address(ipv4(first.to_v4().to_uint())));
    }
    for (auto const& a : addresses) networks_.push_back(a.to_string());
    looked_up_.insert(addresses.begin(), addresses.end());
    names_.clear();
}

void target_list::add_interval(ip_address const& first, ip_address const& last) {
    if (first == last)
        written_.insert(first);
    else
        add_drawn(first, last);
}

/// Those that overlap it become one with it.
void target_list::add_drawn(ip_address first, ip_address last) {
    // As where packets take their values out of sets: who writes 239.0.0.0/8 means groups.
    bool as_one = address_class_of(first) == address_class_of(last);
    if (as_one && address_class_of(first) != address_class::unicast) return;
    auto at = drawn_.lower_bound(first);
    while (at != drawn_.end() && at->second <= last) {
        first = std::min(first, at->second);
        last = std::max(last, at->first);
        at = drawn_.erase(at);
    }
    drawn_.emplace(last, first);
}

bool target_list::is_drawn(ip_address const& a) const {
    auto found = drawn_.lower_bound(a);
    return found != drawn_.end() && found->second <= a;
}

packet target_list::named(packet probe) const {
    layer_view const head(probe.view(), 0);
    auto const to = head.is<IPv6>() ? ip_address(head.get<&IPv6::dst>()) : ip_address(head.get<&IP::dst>());
    // A plan has it in the network that it lies in.
    if (written_.contains(to)) return marked_drawn(std::move(probe), false);
    if (is_drawn(to)) return marked_drawn(std::move(probe), true);
    if (looked_up_.contains(to)) return marked_looked_up(std::move(probe), to);
    return probe;
}

std::vector<ip_address> target_list::in_order(std::size_t limit) const {
    std::vector<ip_address> all;
    for (auto const& text : networks_) {
        address_set const one(text);
        if (auto n = tools::count_of(one); n > limit - all.size())
            throw error(errc::set_too_large, fmt::format("{}: more than {} targets", text, limit));
        for (auto const& i : one.v4())
            for_each(i, [&](wire_value w) { all.emplace_back(value_traits<ipv4>::from_wire(w)); });
        for (auto const& i : one.v6())
            for_each(i, [&](wire_value w) { all.emplace_back(value_traits<ipv6>::from_wire(w)); });
    }
    return all;
}

std::uint64_t count_of(address_set const& addresses) {
    std::uint64_t total = 0;
    for (auto list : {addresses.v4(), addresses.v6()})
        for (auto const& i : list)
            if (__builtin_add_overflow(total, count_of(i), &total))
                throw error(errc::set_too_large, "2^64 addresses or more");
    return total;
}

}  // namespace sonde::inline v0::tools
