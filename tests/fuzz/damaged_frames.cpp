// Without chance: every frame that there is, ended at every octet, and with every length in it wrong.
// A fixed part of them is tried; SONDE_EVERY_CUT=1 tries all.

#include "support/catch.hpp"
#include "support/frame_properties.hpp"
#include "support/hex.hpp"

#include <sonde/capture/capture_reader.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/layer.hpp>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string_view>

using namespace sonde;
using namespace sonde::test;

namespace {

using octets_of_frame = std::vector<std::byte>;

struct link_frame {
    link_type link{};
    octets_of_frame bytes;
};

std::filesystem::path source() {
    auto path = std::getenv("SONDE_SOURCE");
    return path ? path : ".";
}

link_type link_of(std::string_view name) {
    static std::map<std::string_view, link_type> const links = {
        {"ether", link_type::ethernet},  {"null", link_type::null}, {"sll", link_type::linux_sll},
        {"sll2", link_type::linux_sll2}, {"ipv4", link_type::ipv4}, {"ipv6", link_type::ipv6}};
    auto found = links.find(name);
    return found == links.end() ? link_type::raw : found->second;
}

/// The text behind `key` up to the next quote.
std::string_view value_of_key(std::string_view line, std::string_view key) {
    auto at = line.find(key);
    if (at == line.npos) return {};
    auto rest = line.substr(at + key.size());
    rest.remove_prefix(std::min(rest.find('"') + 1, rest.size()));
    return rest.substr(0, rest.find('"'));
}

void for_lines(std::filesystem::path const& file, std::function<void(std::string_view)> const& use) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) use(line);
}

void add_conformance(std::filesystem::path const& from, std::vector<link_frame>& frames) {
    for_lines(from / "malformed.tsv", [&](std::string_view line) {
        std::vector<std::string_view> columns;
        for (auto rest = line; columns.size() < 7;) {
            auto tab = rest.find('\t');
            columns.push_back(rest.substr(0, tab));
            rest = tab == rest.npos ? std::string_view() : rest.substr(tab + 1);
        }
        frames.push_back({link_of(columns[1]), support::bytes(columns[6])});
    });
    for_lines(from / "vectors.jsonl", [&](std::string_view line) {
        auto behind_layers = line.substr(std::min(line.find("], \"len\":"), line.size()));
        frames.push_back({link_of(value_of_key(line, "\"link\":")),
                          support::bytes(value_of_key(behind_layers, "\"hex\":"))});
    });
    for_lines(from / "answers.jsonl", [&](std::string_view line) {
        for (auto key : {"\"stimulus\":", "\"response\":"})
            frames.push_back(
                {link_of(value_of_key(line, "\"link\":")), support::bytes(value_of_key(line, key))});
    });
}

void add_captures(std::filesystem::path const& directory, std::vector<link_frame>& frames) {
    std::vector<std::filesystem::path> files;
    for (auto const& entry : std::filesystem::directory_iterator(directory))
        if (entry.path().extension() == ".pcap" || entry.path().extension() == ".pcapng")
            files.push_back(entry);
    std::ranges::sort(files);
    for (auto const& file : files) {
        capture_reader reader(file.string());
        error_code ec;
        for (auto f = reader.next(ec); f || ec == errc::unsupported_link_type; f = reader.next(ec))
            if (f) frames.push_back({f->type, {f->bytes.begin(), f->bytes.end()}});
    }
}

/// The inputs that the fuzz target `frame` keeps: packets of our own expressions among them.
void add_corpus(std::filesystem::path const& directory, std::vector<link_frame>& frames) {
    constexpr link_type links[] = {link_type::ethernet,  link_type::null,       link_type::raw,
                                   link_type::linux_sll, link_type::linux_sll2, link_type::ipv4,
                                   link_type::ipv6,      link_type(9999)};
    if (!std::filesystem::exists(directory)) return;
    std::vector<std::filesystem::path> files;
    for (auto const& entry : std::filesystem::directory_iterator(directory)) files.push_back(entry);
    std::ranges::sort(files);
    for (auto const& file : files) {
        std::ifstream in(file, std::ios::binary);
        std::string const bytes{std::istreambuf_iterator<char>(in), {}};
        if (bytes.size() < 2) continue;
        auto octets = std::as_bytes(std::span(bytes)).subspan(1);
        frames.push_back(
            {links[static_cast<unsigned char>(bytes[0]) % std::size(links)], {octets.begin(), octets.end()}});
    }
}

/// Packets with a length in every layer, for where there are no recorded ones.
void add_own(std::vector<link_frame>& frames) {
    constexpr std::string_view between = "IP(src='192.0.2.1', dst='192.0.2.2')";
    constexpr std::string_view between6 = "IPv6(src='2001:db8::1', dst='2001:db8::2')";
    constexpr std::string_view v4[] = {
        "TCP(options=[('MSS', 1460), ('SAckOK', b''), ('Timestamp', (1, 0)), ('NOP', None)])/b'payload'",
        "UDP(dport=53)/DNS(qr=1, an=[DNSRR(rdata='192.0.2.3'), DNSRRMX(exchange='mx.example'), DNSRRSOA()], "
        "ar=[DNSRROPT(rdata=[EDNS0TLV(optcode=3, optdata=b'abc')])])",
        "TCP(dport=53)/DNS(qd=DNSQR(qname='a.example'))",
        "UDP(sport=68, dport=67)/BOOTP()/DHCP(options=[('message-type', 'discover'), ('hostname', b'h'), "
        "'end'])",
        "UDP(dport=161)/SNMP(PDU=SNMPresponse(varbindlist=[SNMPvarbind(oid='1.3.6.1.2.1.1.1.0', "
        "value=ASN1_STRING('text'))]))",
        "UDP(dport=137)/NBNSHeader()/NBNSQueryRequest()",
        "UDP(dport=123)/NTPHeader()",
        "IGMPv3()/IGMPv3mr(records=[IGMPv3gr(maddr='224.0.0.9', srcaddrs=['192.0.2.7'])])",
        "SCTP()/SCTPChunkInit(params=[SCTPChunkParamIPv4Addr(), SCTPChunkParamStateCookie(cookie=b'abc')])",
        "SCTP()/SCTPChunkSACK(gap_ack_list=['2:4'], dup_tsn_list=[7])/SCTPChunkData(data=b'abc')",
        "ICMP(type=11)/IPerror(src='192.0.2.2', dst='192.0.2.1')/UDPerror()/ICMPExtensionHeader()/"
        "ICMPExtensionMPLS(stack=[MPLS(label=16000, s=1)])",
        "GRE(key_present=1)/IP(src='192.0.2.3', dst='192.0.2.4')/UDP()/b'inside'",
        "UDP(dport=4789)/VXLAN()/Ether()/IP(src='192.0.2.3', dst='192.0.2.4')/TCP()"};
    constexpr std::string_view v6[] = {
        "IPv6ExtHdrHopByHop(options=[RouterAlert()])/ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec("
        "dst='ff02::9', sources=['2001:db8::7'])])",
        "IPv6ExtHdrRouting(addresses=['2001:db8::3', '2001:db8::4'])/IPv6ExtHdrDestOpt(options=["
        "HBHOptUnknown(otype=30, optdata=b'abc')])/UDP()/b'abc'",
        "ICMPv6ND_RA()/ICMPv6NDOptPrefixInfo()/ICMPv6NDOptMTU()/ICMPv6NDOptRDNSS(dns=['2001:db8::5'])",
        "ICMPv6DestUnreach()/IPerror6(src='2001:db8::2', dst='2001:db8::1')/TCPerror()"};
    auto add = [&](std::string_view lower, std::string_view upper) {
        frames.push_back(
            {link_type::raw, parse_packet(std::string(lower) + "/" + std::string(upper)).build()});
    };
    for (auto upper : v4) add(between, upper);
    for (auto upper : v6) add(between6, upper);
}

std::vector<link_frame> all_frames() {
    std::vector<link_frame> frames;
    add_own(frames);
    add_corpus(source() / "tests/fuzz/corpus/frame", frames);
    add_corpus(source() / "tests/fuzz/regressions/frame", frames);
    if (auto from = std::getenv("SONDE_CONFORMANCE")) {
        add_conformance(from, frames);
        add_captures(std::filesystem::path(from) / "pcaps", frames);
    }
    return frames;
}

/// Checks frames, each once, and of those a fixed part.
class checker {
public:
    /// One in `stride` is tried.
    // Without the recorded frames there are few: each of them counts then.
    explicit checker(std::size_t stride)
        : stride_(std::getenv("SONDE_EVERY_CUT") || !std::getenv("SONDE_CONFORMANCE") ? 1 : stride) {}

    void operator()(link_type link, std::span<std::byte const> frame) {
        auto hash =
            std::hash<std::string_view>()({reinterpret_cast<char const*>(frame.data()), frame.size()});
        boost::hash_combine(hash, static_cast<unsigned>(link));
        if (!seen_.insert(hash).second || seen_.size() % stride_ != 0) return;
        ++count_;
        // From memory of just its size, so that a read past its end is seen.
        octets_of_frame const exact(frame.begin(), frame.end());
        try {
            check_frame(exact, link);
        } catch (std::exception const& e) {
            if (++failed_ <= 10) UNSCOPED_INFO(e.what());
        }
    }
    std::size_t count() const { return count_; }
    std::size_t failed() const { return failed_; }

private:
    std::size_t stride_, count_ = 0, failed_ = 0;
    boost::unordered_flat_set<std::size_t> seen_;
};

/// By the names that protocols give to lengths, counts and offsets.
bool is_length(field_description const& f) {
    if (f.kind != value_kind::number) return false;
    constexpr std::string_view parts[] = {"len", "count",   "ihl",       "ofs",
                                          "num", "segleft", "lastentry", "number"};
    return f.rule.measures || !f.rule.counts.empty() ||
           std::ranges::any_of(parts, [&](auto part) { return f.name.find(part) != f.name.npos; });
}

/// 0, 1, the most, one less and one more.
void with_wrong_values(octets_of_frame& bytes, bit_range where, std::function<void()> const& use) {
    auto const right = read_bits(bytes, where);
    auto most = where.width >= 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << where.width) - 1;
    for (auto wrong : {std::uint64_t(0), std::uint64_t(1), most, right.low - 1, right.low + 1}) {
        write_bits(bytes, where, {0, wrong & most});
        use();
    }
    write_bits(bytes, where, right);
}

/// Where the lengths of a header lie in the frame: its fields', and any octet that its lists begin with.
std::vector<bit_range> lengths_in(layer_view const& layer) {
    constexpr std::uint32_t most_bits = 8 * 48;
    std::vector<bit_range> places;
    auto begin = 8 * layer.span().begin;
    for (std::size_t i = 0; i < layer.description().fields.size(); ++i) {
        auto const& f = layer.description().fields[i];
        if (!detail::holds(layer, i)) continue;
        auto where = locate(layer.description(), i, layer.header());
        if (f.kind == value_kind::options)
            for (std::uint32_t bit = 0; bit + 8 <= std::min(where.width, most_bits); bit += 8)
                places.push_back({begin + where.offset + bit, 8});
        else if (is_length(f) && where.width > 0)
            places.push_back({begin + where.offset, where.width});
    }
    return places;
}

/// Every octet of the first 2 KiB; behind those a few.
std::size_t next_cut(std::size_t size) {
    constexpr std::size_t every = 2048, step = 1021;
    return size < every ? size + 1 : size + step;
}

}  // namespace

TEST_CASE("frames cut at any octet dissect, print and are built again", "[damaged]") {
    auto frames = all_frames();
    checker check(19);
    for (auto const& f : frames)
        for (std::size_t size = 1; size <= f.bytes.size(); size = next_cut(size))
            check(f.link, std::span(f.bytes).first(size));
    CHECK(check.failed() == 0);
    std::printf("%zu cuts of %zu frames\n", check.count(), frames.size());
    std::fflush(stdout);
    CHECK(check.count() > 1000);
}

TEST_CASE("frames with any length wrong dissect, print and are built again", "[damaged]") {
    auto frames = all_frames();
    checker check(19);
    for (auto const& f : frames) {
        auto bytes = f.bytes;
        auto p = dissect(f.bytes, f.link);
        for (std::size_t i = 0; i < p.layers().size(); ++i)
            for (auto where : lengths_in({p.view(), i}))
                with_wrong_values(bytes, where, [&] { check(f.link, bytes); });
    }
    CHECK(check.failed() == 0);
    std::printf("%zu wrong lengths in %zu frames\n", check.count(), frames.size());
    CHECK(check.count() > 1000);
}
