#include <sonde/packet/address_set.hpp>
#include <sonde/packet/random.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace sonde;

namespace {

ip_address at(std::string_view text) {
    return *ip_address::parse(text);
}

}  // namespace

TEST_CASE("An address set holds what its networks hold, each family by itself") {
    address_set const set("10.0.0.0/8", "10.1.0.0/16", "192.0.2.7", "::/127", "2001:db8::/32");
    CHECK(set.v4().size() == 2);
    CHECK(set.v6().size() == 2);
    CHECK(set.contains(at("10.255.255.255")));
    CHECK(set.contains(at("192.0.2.7")));
    CHECK(!set.contains(at("192.0.2.8")));
    CHECK(!set.contains(at("0.0.0.1")));
    CHECK(set.contains(at("::1")));
    CHECK(!set.contains(at("::2")));
    CHECK(set.contains(at("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")));
    CHECK(!set.contains(at("2001:db9::")));
    CHECK(!set.contains(at("::ffff:10.0.0.1")));
    CHECK(address_set().empty());
    CHECK(!address_set("0.0.0.0/0").empty());
    CHECK(address_set("0.0.0.0/0").contains(at("255.255.255.255")));
}

TEST_CASE("What is no network is an error that names the text") {
    for (std::string text :
         {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "localhost", "2001:db8::/129", "1.2.3.4/x"}) {
        INFO("\"" << text << "\"");
        CHECK_THROWS_WITH(address_set("10.0.0.0/8", text), Catch::Contains("\"" + text + "\""));
    }
}

TEST_CASE("A long list in any order, put together from parts, finds each of its members and nothing else") {
    random_source random(7);
    std::vector<std::string> lines;
    std::vector<bool> in(1 << 16);
    for (int i = 0; i < 3000; ++i) {
        auto length = static_cast<unsigned>(24 + random.up_to(8));
        auto first = static_cast<std::uint32_t>(random.up_to(0xffff)) >> (32 - length) << (32 - length);
        lines.push_back(ipv4(0xc6120000 + first).to_string() + "/" + std::to_string(length));
        for (std::uint32_t a = 0; a < 1u << (32 - length); ++a) in[first + a] = true;
    }
    address_set set(std::vector(lines.begin(), lines.begin() + 1000));
    set |= address_set(std::vector(lines.begin() + 1000, lines.end()));
    for (std::uint32_t a = 0; a < in.size(); ++a)
        if (set.contains(ipv4(0xc6120000 + a)) != in[a]) FAIL(ipv4(0xc6120000 + a).to_string());
    for (std::size_t i = 1; i < set.v4().size(); ++i) CHECK(set.v4()[i - 1].last < set.v4()[i].first);
}
