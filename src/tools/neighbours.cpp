#include <sonde/layers/arp.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/tools/neighbours.hpp>
#include <sonde/tools/targets.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <ranges>

namespace sonde::inline v0::tools {
namespace {

namespace asio = boost::asio;

/// The hop limit that neighbour discovery must have (RFC 4861 §7.1.1).
constexpr std::uint8_t on_link = 255;

packet question(ip_address const& a) {
    if (a.is_v4()) return Ether{.dst = mac::broadcast()} / ARP{.pdst = a.v4()};
    auto const& o = a.v6().octets;
    ipv6 group = "ff02::1:ff00:0";  // RFC 4291 §2.7.1
    for (std::size_t i = 13; i < 16; ++i) group.octets[i] = o[i];
    mac const to(std::array<std::uint8_t, 6>{0x33, 0x33, 0xff, o[13], o[14], o[15]});
    return Ether{.dst = to} / IPv6{.dst = group, .hlim = on_link} / ICMPv6ND_NS{.tgt = a.v6()} /
           ICMPv6NDOptSrcLLAddr{.lladdr = automatic};
}

/// The addresses of a set by their number.
class addresses_in_turn {
public:
    explicit addresses_in_turn(address_set const& set) : size_(count_of(set)) {
        add(set.v4());
        v4_parts_ = firsts_.size();
        add(set.v6());
    }
    std::uint64_t size() const { return size_; }
    ip_address operator[](std::uint64_t i) const {
        auto part = static_cast<std::size_t>(std::ranges::upper_bound(ends_, i) - ends_.begin());
        i -= part ? ends_[part - 1] : 0;
        auto const& first = firsts_.at(part);
        wire_value at{first.high, first.low + i};
        at.high += at.low < i;
        if (part < v4_parts_) return value_traits<ipv4>::from_wire(at);
        return value_traits<ipv6>::from_wire(at);
    }

private:
    void add(std::span<address_set::interval const> parts) {
        for (auto const& p : parts) {
            firsts_.push_back(p.first);
            ends_.push_back((ends_.empty() ? 0 : ends_.back()) + (p.last.low - p.first.low) + 1);
        }
    }

    std::vector<wire_value> firsts_;
    std::vector<std::uint64_t> ends_;  // how many addresses the first 1, 2, … parts have
    std::size_t v4_parts_ = 0;
    std::uint64_t size_;
};

exchange_stream start(network& net, address_set const& addresses, neighbour_options const& o) {
    sr_options const how{
        .timeout = o.timeout, .retry = o.retry, .rate = o.rate, .iface = o.iface, .multi = true};
    if (addresses.empty())
        return net.srp(
            Ether{.dst = "33:33:00:00:00:01"} / IPv6{.dst = "ff02::1", .hlim = on_link} / ICMPv6EchoRequest{},
            how);
    addresses_in_turn const all(addresses);
    return net.srp(std::views::iota(std::uint64_t(0), all.size()) |
                       std::views::transform([all](std::uint64_t i) { return question(all[i]); }),
                   how);
}

/// Names from files of several makes: "00-00-0C   (hex)   Cisco", "00000C\tCisco", "00:00:0C Cisco Systems".
bool read_line(std::string const& line, std::uint32_t& prefix, std::string& name) {
    std::size_t at = 0;
    prefix = 0;
    for (int digits = 0; digits < 6; ++at) {
        if (at == line.size()) return false;
        auto c = static_cast<char>(std::tolower(static_cast<unsigned char>(line[at])));
        if (auto d = sonde::detail::hex_digit(c); d >= 0)
            prefix = prefix << 4 | static_cast<std::uint32_t>(d), ++digits;
        else if ((c != '-' && c != ':') || digits == 0)
            return false;
    }
    if (at < line.size() && line[at] != ' ' && line[at] != '\t') return false;
    auto rest = line.substr(at);
    if (auto hex = rest.find("(hex)"); hex != rest.npos) rest.erase(0, hex + 5);
    auto begin = rest.find_first_not_of(" \t"), end = rest.find_last_not_of(" \t\r");
    if (begin == rest.npos) return false;
    name = rest.substr(begin, end - begin + 1);
    return true;
}

}  // namespace

neighbours::neighbours(network& net, address_set const& addresses, neighbour_options options)
    : probes_(start(net, addresses, options)) {}

asio::awaitable<std::optional<neighbour>> neighbours::next() {
    while (auto x = co_await probes_.next(asio::use_awaitable)) {
        neighbour n{.rtt = x->rtt()};
        if (auto const* ether = x->received.find<Ether>()) n.hardware = ether->src.value();
        if (auto const* arp = x->received.find<ARP>())
            n.address = arp->psrc.value(), n.hardware = arp->hwsrc.value();
        if (auto const* na = x->received.find<ICMPv6ND_NA>())
            n.address = na->tgt.value();
        else if (auto const* ip = x->received.find<IPv6>())
            n.address = ip->src.value();
        auto& known = seen_[n.address];
        n.duplicate = !known.empty();
        if (known.insert(n.hardware).second) co_return n;
    }
    co_return std::nullopt;
}

vendor_table vendor_table::of_system() {
    for (auto const* path : {"/usr/share/ieee-data/oui.txt", "/usr/share/arp-scan/ieee-oui.txt",
                             "/usr/share/nmap/nmap-mac-prefixes", "/usr/share/wireshark/manuf"})
        if (vendor_table t(path); t.size()) return t;
    return {};
}

vendor_table::vendor_table(std::string const& path) {
    std::ifstream file(path);
    std::uint32_t prefix = 0;
    for (std::string line, name; std::getline(file, line);)
        if (read_line(line, prefix, name)) names_.emplace(prefix, name);
}

std::string_view vendor_table::vendor_of(mac const& hardware) const {
    auto const& o = hardware.octets;
    auto found = names_.find(std::uint32_t(o[0]) << 16 | std::uint32_t(o[1]) << 8 | o[2]);
    return found == names_.end() ? std::string_view() : found->second;
}

}  // namespace sonde::inline v0::tools
