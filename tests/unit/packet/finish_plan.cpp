// Packets that are finished by a plan have the bytes that their layers' own code gives them.
#include "support/catch.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/sctp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/build.hpp>
#include <sonde/packet/expression.hpp>

using namespace sonde;
using detail::finish_plan;
using detail::finisher;

namespace finished_by_itself {

int calls = 0;

struct Counted {
    field<std::uint8_t> value = 1;
};
SONDE_LAYER(Counted, value)

layer_hooks hooks(Counted const*) {
    return {
        .finish = [](build_step&) { ++calls; },
        .checksum = [](layer_view const&) { return checksum_rule{.sums = checksum_rule::over::nothing}; }};
}

}  // namespace finished_by_itself

namespace {

struct made {
    std::vector<std::byte> bytes;
    std::vector<layer_span> layers;
};

made member(packet const& set, std::uint64_t index = 0) {
    auto [bytes, layers] = set[index].into_parts();
    return {std::move(bytes), std::move(layers)};
}

bool is_planned(std::string const& text) {
    auto m = member(parse_packet(text));
    return finish_plan().learn(m.bytes, m.layers);
}

/// How many of so many packets of the set become others than they should.
unsigned wrong_of(finisher& f, packet const& set, unsigned packets) {
    unsigned wrong = 0;
    for (unsigned n = 0; n < packets; ++n) {
        auto m = member(set, n % set.size());
        auto planned = m.bytes;
        finish(m.bytes, m.layers);
        f.finish(planned, m.layers);
        wrong += planned != m.bytes;
    }
    return wrong;
}

}  // namespace

TEST_CASE("Packets of one shape are finished by what the first one taught") {
    constexpr char const* shapes[] = {
        "Ether()/IP(src='192.0.2.1', dst='198.18.0.0/24')/TCP(dport=80)",
        "IP(src='192.0.2.1', dst='198.18.0.0/24')/UDP(dport=53)/DNS(qd=DNSQR(qname='example.com'))",
        "IP(src='192.0.2.1', dst='198.18.0.0/24')/ICMP()/'odd'",
        "IPv6(src='2001:db8::1', dst='2001:db8::/120')/TCP()",
        "IPv6(src='2001:db8::1', dst='2001:db8::/120')/ICMPv6EchoRequest(data=b'xyz')",
        "IP(src='192.0.2.1', dst='198.18.0.0/24', version=(0, 15))/GRE()/IP(src='10.0.0.1')/TCP(flags='S')"};
    for (auto const* text : shapes) {
        INFO(text);
        auto set = parse_packet(text);
        auto m = member(set);
        finish_plan plan;
        REQUIRE(plan.learn(m.bytes, m.layers));
        for (std::uint64_t i = 0; i < std::min<std::uint64_t>(set.size(), 256); ++i) {
            auto next = member(set, i);
            REQUIRE(plan.fits(next.bytes, next.layers));
            auto planned = next.bytes;
            plan.apply(planned);
            finish(next.bytes, next.layers);
            REQUIRE(planned == next.bytes);
        }
    }
}

TEST_CASE("Whatever the fields hold, a plan gives what the layers' own code gives") {
    constexpr char const* sets[] = {
        "fuzz(IP(src=RandIP(), dst=RandIP())/TCP())",
        "fuzz(IP(src=RandIP(), dst=RandIP())/UDP()/'ab')",
        "fuzz(IP(src=RandIP(), dst=RandIP())/ICMP()/'abc')",
        "IP(src=RandIP(), dst=RandIP())/ICMP(type=RandByte(), code=RandByte(), seq=RandShort())/'abc'",
        "IPv6(src=RandIP6(), dst=RandIP6())/UDP(sport=RandShort(), dport=RandShort())/'a'",
        "IPv6(src=RandIP6(), dst=RandIP6())/ICMPv6EchoRequest(id=RandShort())",
        "IPv6(dst=RandIP6())/ICMPv6ND_NS(tgt=RandIP6())",
        "IP(src=RandIP(), dst=RandIP(), len=RandShort(), ihl=5)/TCP()",
        "IP(src=RandIP(), dst=RandIP(), options=[IPOption_LSRR(routers=['192.0.2.9'])])/TCP(seq=RandInt())",
        "IP(src='192.0.2.1')/UDP()/VXLAN()/Ether()/IP(src='10.0.0.1', dst='10.0.0.0/24')/UDP()",
        "IP(dst=['127.0.0.1', '192.0.2.1', '127.0.0.9'])/TCP()",
        "IP(src=RandIP(), dst=RandIP())/UDP(chksum=RandShort())/'abc'",
        "IP(src=RandIP(), dst=RandIP(), chksum=RandShort())/TCP(chksum=RandShort(), window=RandShort())",
        "IP(src=RandIP(), dst=RandIP())/SCTP(tag=RandInt())/SCTPChunkInit()",
        "IP(src=RandIP(), dst=RandIP())/UDP()/DNS(id=RandShort(), qd=DNSQR(qname='example.com'))",
        "IP(src='192.0.2.1', dst=RandIP())/ICMP(type=3, code=1)/IPerror(dst=RandIP())/UDPerror()"};
    finisher f;
    for (auto const* text : sets) {
        INFO(text);
        CHECK(wrong_of(f, parse_packet(text), 500) == 0);
    }
    for (auto const* text : sets) {  // again, among plans of other shapes
        INFO(text);
        CHECK(wrong_of(f, parse_packet(text), 20) == 0);
    }
}

TEST_CASE("A plan fills in what its first packet happened to hold") {
    // As fragments do, which are cut from a packet that was built: their lengths are those of the whole.
    auto m = member(parse_packet("IP(src='192.0.2.1', dst='198.18.0.1')/TCP()/'abc'"));
    auto wanted = m.bytes;
    finish(wanted, m.layers);
    finish_plan plan;
    REQUIRE(plan.learn(wanted, m.layers));
    plan.apply(m.bytes);
    CHECK(m.bytes == wanted);
}

TEST_CASE("Shapes are learnt though their packets take turns") {
    auto own = member(IP{.src = "192.0.2.1"} / finished_by_itself::Counted{}),
         other = member(parse_packet("IP(src='192.0.2.1')/UDP()"));
    finisher f;
    auto finish_both = [&] {
        for (auto* m : {&own, &other}) {
            auto bytes = m->bytes;
            f.finish(bytes, m->layers);
        }
    };
    for (int i = 0; i < 2; ++i) finish_both();
    auto called = finished_by_itself::calls;
    CHECK(called > 0);
    for (int i = 0; i < 5; ++i) finish_both();
    CHECK(finished_by_itself::calls == called);
}

TEST_CASE("A UDP checksum of 0 is sent as 0xffff by a plan, too") {
    finisher f;
    auto sums = [&](packet const& set) {
        unsigned zeros = 0;
        for (std::uint64_t i = 0; i < set.size(); ++i) {
            auto m = member(set, i);
            f.finish(m.bytes, m.layers);
            auto sum = dissect(m.bytes, link_type::raw).get<UDP>().chksum.value();
            CHECK(sum != 0);
            zeros += sum == 0xffff;
        }
        return zeros;
    };
    CHECK(sums(parse_packet("IP(src='192.0.2.1', dst='192.0.2.2')/UDP(sport=(0, 65535))")) == 1);
}

TEST_CASE("What values decide otherwise than by a checksum is left to the layers") {
    CHECK_FALSE(is_planned("IP(dst='192.0.2.1')/TCP()"));  // the source follows from the destination
    CHECK_FALSE(is_planned("IP(src='192.0.2.1', options=[IPOption_LSRR(routers=['192.0.2.9'])])/TCP()"));
    CHECK_FALSE(is_planned("IP(src='192.0.2.1', len=40)/TCP()"));
    CHECK_FALSE(is_planned("IP(src='192.0.2.1')/SCTP()/SCTPChunkInit()"));
    CHECK_FALSE(is_planned("IPv6(src='2001:db8::1')/IPv6ExtHdrRouting(addresses=['2001:db8::9'])/TCP()"));
    CHECK(is_planned("IP(src='192.0.2.1')/TCP()"));
}
