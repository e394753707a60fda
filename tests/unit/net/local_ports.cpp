#include "net/local_ports.hpp"

#include "support/catch.hpp"

using sonde::detail::ports_left_free;

namespace {

void check(char const* automatic, char const* reserved, unsigned first, unsigned last) {
    INFO("ip_local_port_range " << automatic << " ip_local_reserved_ports " << reserved);
    auto left = ports_left_free(automatic, reserved);
    CHECK(left.first == first);
    CHECK(left.last == last);
}

}  // namespace

TEST_CASE("Probes take the longest run of ports that the kernel gives to no socket by itself") {
    check("32768\t60999\n", "\n", 1024, 32767);
    check("32768 65535", "", 1024, 32767);
    check("1024 20000", "", 20001, 65535);
    check("10000 20000", "", 20001, 65535);
    check("50000 60999", "", 1024, 49999);
    check("1 30000", "", 30001, 65535);
}

TEST_CASE("Ports that are reserved are given to no socket either, and lengthen a run") {
    check("1024 65535", "20000-29999\n", 20000, 29999);
    check("1024 65535", "8080,20000-29999,40000-59999", 40000, 59999);
    check("32768 60999", "32768-40000", 1024, 40000);
    check("1024 65535", "8080", 1024, 32767);  // too few: there are no free ones, so the default
}

TEST_CASE("What cannot be read leaves the default, not a network without ports") {
    for (auto text : {"", "x", "1024", "70000 80000", "-1 5"}) check(text, "", 1024, 32767);
    check("1024 65535", "20000-", 1024, 32767);
    check("1024 65535", "99999-100000", 1024, 32767);
    check("1024 65535", "30000-20000", 1024, 32767);
    check("60999 32768", "", 1024, 65535);  // no port is in it
}
