#include <sonde/link/filter.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace sonde;

namespace {

std::vector<std::byte> bytes(std::string const& hex) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    return out;
}

// Ethernet / IPv4 198.18.0.1 > 198.18.0.2 / TCP 20 > 80 SYN
std::string const ip =
    "45000028000100004006"
    "0000"
    "c6120001"
    "c6120002"
    "0014005000000000000000005002200000000000";
std::string const ether =
    "020000000002"
    "020000000001";
std::vector<std::byte> const tcp = bytes(ether + "0800" + ip);
std::vector<std::byte> const tagged_tcp = bytes(ether +
                                                "8100"
                                                "0005"
                                                "0800" +
                                                ip);

bool takes(std::string_view text, std::vector<std::byte> const& frame, link_type type = link_type::ethernet) {
    return capture_filter::compile(text, type).matches(frame, frame.size());
}

bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

// What compiling the text throws.
std::string refusal(std::string_view text) {
    try {
        capture_filter::compile(text, link_type::ethernet);
    } catch (sonde::error const& e) {
        return e.code() == errc::bad_filter ? e.what() : "another error";
    }
    return "none";
}

}  // namespace

TEST_CASE("a filter takes the frames that its text describes and no others", "[link]") {
    CHECK(takes("tcp port 80", tcp));
    CHECK(takes("src host 198.18.0.1 and tcp[tcpflags] == tcp-syn", tcp));
    CHECK_FALSE(takes("udp", tcp));
    CHECK_FALSE(takes("tcp port 443", tcp));
    CHECK(takes("", tcp));
}

TEST_CASE("a filter is compiled for the link type of its frames", "[link]") {
    auto packet = bytes(ip);
    CHECK(takes("tcp port 80", packet, link_type::raw));
    CHECK(takes("tcp port 80", packet, link_type::ipv4));
    CHECK_FALSE(takes("tcp port 80", packet, link_type::ethernet));
}

TEST_CASE("a filter sees the length on the wire apart from what was captured", "[link]") {
    auto filter = capture_filter::compile("greater 1000", link_type::ethernet);
    CHECK(filter.matches(tcp, 1000));
    CHECK_FALSE(filter.matches(tcp, 999));
}

TEST_CASE("a filter never reads behind the captured bytes", "[link]") {
    auto filter = capture_filter::compile("tcp port 80", link_type::ethernet);
    for (std::size_t n = 0; n < tcp.size(); ++n) {
        std::vector<std::byte> cut(tcp.begin(), tcp.begin() + static_cast<std::ptrdiff_t>(n));
        CHECK(filter.matches(cut, tcp.size()) == (n >= 38));  // the ports end at byte 38
    }
}

TEST_CASE("the empty filter takes everything and accept_none nothing", "[link]") {
    CHECK(capture_filter().empty());
    CHECK(capture_filter().matches(tcp, tcp.size()));
    auto none = capture_filter::accept_none();
    CHECK_FALSE(none.empty());
    CHECK_FALSE(none.matches(tcp, tcp.size()));
    CHECK_FALSE(takes(none.text(), tcp));  // its text means the same
}

TEST_CASE("a filter that does not compile says where and why", "[link]") {
    error_code ec;
    std::string why;
    auto filter =
        capture_filter::compile("tcp prt 80", link_type::ethernet, capture_filter::whole_frame, ec, &why);
    CHECK(ec == errc::bad_filter);
    CHECK(filter.empty());
    CHECK(holds(why, "\"tcp prt 80\""));
    CHECK(holds(why, "syntax error"));
    CHECK(holds(refusal("tcp prt 80"), "syntax error"));
    CHECK(holds(refusal("ip) or (udp"), "syntax error"));
}

TEST_CASE("a later success clears the error of an earlier compilation", "[link]") {
    error_code ec = errc::bad_filter;
    CHECK_FALSE(capture_filter::compile("ip", link_type::ethernet, capture_filter::whole_frame, ec).empty());
    CHECK(!ec);
}

TEST_CASE("a filter text is at most 4 KiB and holds no NUL", "[link]") {
    std::string longest = "ip" + std::string(capture_filter::longest_text - 2, ' ');
    CHECK(takes(longest, tcp));
    CHECK(holds(refusal(longest + " "), "4097 bytes"));
    CHECK(holds(refusal(std::string_view("ip\0 or x", 8)), "NUL"));
}

TEST_CASE("a filter knows whether its text names the VLAN tag", "[link]") {
    auto reads = [](std::string_view text) {
        return capture_filter::compile(text, link_type::ethernet).reads_vlan_tag();
    };
    CHECK(reads("vlan"));
    CHECK(reads("ip or (vlan 5 and tcp)"));
    CHECK(reads("not vlan"));
    CHECK_FALSE(reads("tcp port 80"));
    CHECK_FALSE(capture_filter().reads_vlan_tag());
    CHECK(takes("vlan 5 and tcp port 80", tagged_tcp));
    CHECK_FALSE(takes("vlan 6", tagged_tcp));
    CHECK_FALSE(takes("vlan", tcp));
}

TEST_CASE("a filter keeps no more of a frame than its snapshot", "[link]") {
    error_code ec;
    auto filter = capture_filter::compile("ip", link_type::ethernet, 96, ec);
    auto is_accept = [](bpf_instruction const& i) { return i.code == 0x06 && i.k != 0; };
    auto accept = std::find_if(filter.program().begin(), filter.program().end(), is_accept);
    REQUIRE(accept != filter.program().end());
    CHECK(accept->k == 96);
}

TEST_CASE("A filter whose program loops is refused, as the kernel would") {
    error_code ec;
    std::string why;
    capture_filter::compile("protochain 8", link_type::ethernet, 65535, ec, &why);
    CHECK(ec == errc::bad_filter);
    CHECK(why == "capture filter \"protochain 8\": a loop, as protochain makes");
}

TEST_CASE("Why a filter does not compile is told in printable ASCII") {
    error_code ec;
    std::string why;
    capture_filter::compile("tcp \x1b[31m", link_type::ethernet, 65535, ec, &why);
    CHECK(ec == errc::bad_filter);
    for (char c : why) CHECK((c >= 0x20 && c < 0x7f));
}
