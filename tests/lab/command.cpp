// The command in the lab: what it says of input that cannot be right and of networks that refuse (place,
// remedy, exit status), and what it writes. ctest runs this inside the lab.

#include "support/command.hpp"
#include "support/catch.hpp"
#include "support/own_path.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

using support::run;
using support::sonde_command;

namespace {

struct mistake {
    std::vector<std::string> words;
    int status;
    std::vector<std::string> told;  ///< each must stand in what stderr says
};

void check(mistake const& m) {
    auto command = m.words;
    command.insert(command.begin(), sonde_command());
    auto result = run(command);
    std::string line;
    for (auto const& w : command) line += w + " ";
    INFO(line << "\nstderr: " << result.err << "stdout: " << result.out);
    CHECK(result.status == m.status);
    for (auto const& part : m.told) CHECK(result.err.find(part) != std::string::npos);
    CHECK(result.err.find("[sonde:") == std::string::npos);
    CHECK(result.out.find("RECV") == std::string::npos);
}

auto const echo = R"(IP(dst="198.18.0.1")/ICMP())";
auto const nobody = R"(IP(dst="198.51.100.77")/ICMP())";

}  // namespace

TEST_CASE("A packet expression that cannot be read is a usage error that points at its column") {
    check({{"sr1", R"(IPP(dst="198.18.0.1")/ICMP())"}, 2, {"column 1", "no layer IPP", "\"IP\""}});
    check({{"sr1", R"(IP(dsst="198.18.0.1")/ICMP())"}, 2, {"column 4", "no field \"dsst\"", "\"dst\""}});
    check({{"send", R"(IP(dst="198.18.0.1", ttl=300))"}, 2, {"column 22", "IP.ttl cannot hold 300", "255"}});
    check({{"sr", R"(IP(dst="198.18.0.")/ICMP())"}, 2, {"column 4", "IP.dst takes an IPv4 address"}});
    check({{"sr1", R"(IP(dst="198.18.0.1"/ICMP())"}, 2, {"column 27", "',' or ')' expected"}});
    check({{"send", R"(IP()/UDP(dport=(9,3)))"}, 2, {"UDP.dport: a range from 9 down to 3"}});
    check({{"sendp", "/nowhere/session.pcap"}, 3, {"/nowhere/session.pcap", "No such file"}});
}

TEST_CASE("Options that make no sense are usage errors that say what is expected") {
    check({{"sr1", echo, "--count", "3"}, 2, {"unrecognised option '--count'"}});
    check({{"sr1", echo, "--timeout", "abc"}, 2, {"\"abc\" is no duration", "500ms"}});
    check({{"srloop", echo, "--count", "-1"}, 2, {"\"-1\" is no count"}});
    check({{"sniff", "--count", "x"}, 2, {"\"x\" is no count"}});
    check({{"send", echo, "--rate", "-5"}, 2, {"\"-5\" is no rate"}});
    check({{"send", echo, "--rate", "adaptive"}, 2, {"\"adaptive\" is no rate"}});
    check({{"sr", echo, "--bit-rate", "10X"}, 2, {"\"10X\" is no rate"}});
    check({{"send", echo, "more"}, 2, {"unexpected argument \"more\"", "quote"}});
    check({{"send"}, 2, {"a packet expression is missing"}});
    check({{"sr1", echo, "--filter", "tcp prt 80"}, 2, {"tcp prt 80", "syntax error", "pcap-filter(7)"}});
    check({{"sniff", "--filter", "tcp prt 80"}, 2, {"tcp prt 80", "syntax error", "pcap-filter(7)"}});
    check({{"sniff", "-w", "-", "--rotate-size", "1k"}, 2, {"standard output does not rotate"}});
    check({{"dissect", "--json", "--command", "-r", "-"}, 2, {"--json or --command, not both"}});
    check({{"dissect", "-r", "one.pcap", "-r", "two.pcap"}, 2, {"-r is given twice: it takes one value"}});
    check({{"dissect", "-r", "one.pcap", "two.pcap"}, 2, {"\"two.pcap\"", "-r takes one file"}});
    check(
        {{"dissect", "-r", "one.pcap", "--link", "ipv4"}, 2, {"--link or -r", "a file tells its link type"}});
    check({{"frobnicate"}, 2, {"no command \"frobnicate\"", "sonde --help"}});
}

TEST_CASE("A file that cannot be read is an error of the system; one that is damaged is some line in error") {
    auto const file = support::own_path("damaged.pcap");
    std::ofstream(file) << "no capture at all";
    for (auto const& tool :
         std::vector<std::vector<std::string>>{{"dissect", "-r"}, {"dissect", "--json", "-r"}, {"show"}}) {
        auto status = [&](std::string const& path) {
            auto words = tool;
            words.insert(words.begin(), sonde_command());
            words.push_back(path);
            return run(words).status;
        };
        CHECK(status("/nowhere/session.pcap") == 3);
        CHECK(status("/tmp") == 3);
        CHECK(status(file.string()) == 1);
    }
    std::filesystem::remove(file);
}

TEST_CASE("An interface that is missing or down is named, with the remedy, as an error of the system") {
    run({"sh", "-c", "ip link add asleep type veth peer name asleep2"});
    auto const long_name = "a-name-longer-than-15";
    for (std::string verb : {"sr1", "sr", "srloop", "send", "sendp"}) {
        auto const packets = verb == "sendp" ? std::string("Ether()/") + echo : echo;
        check({{verb, packets, "--iface", "eth9"}, 3, {"eth9", "no such interface", "ip link"}});
        check({{verb, packets, "--iface", long_name}, 3, {long_name, "no such interface"}});
        if (verb != "srloop")
            check({{verb, packets, "--iface", "asleep"}, 3, {"interface is down", "ip link set"}});
    }
    check({{"sniff", "--iface", "eth9"}, 3, {"eth9", "no such interface"}});
    check({{"sniff", "--iface", "asleep", "--timeout", "5"},
           3,
           {"asleep", "interface is down", "ip link set"}});
    run({"ip", "link", "del", "asleep"});
}

TEST_CASE("No route, no neighbour and no name are told with their remedy, and end in status 3") {
    run({"ip", "route", "add", "unreachable", "203.0.113.0/24"});
    auto const unreachable = R"(IP(dst="203.0.113.1")/ICMP())";
    for (std::string verb : {"send", "sr1", "sr"}) {
        check({{verb, unreachable}, 3, {"203.0.113.1", "no route to the destination", "ip route get"}});
        check({{verb, R"(IP(dst="nobody.invalid")/ICMP())"}, 3, {"nobody.invalid", "does not resolve"}});
    }
    check({{"sr1", nobody}, 3, {"198.51.100.77", "does not answer ARP", "on this link?"}});
    check({{"srloop", nobody, "--count", "2", "--inter", "10ms"},
           3,
           {"2 packets could not leave", "does not answer ARP"}});
    run({"ip", "route", "del", "unreachable", "203.0.113.0/24"});
}

TEST_CASE("One target without a neighbour does not end the scan of the others") {
    auto result = run(
        {sonde_command(), "sr", R"(IP(dst=["198.51.100.77","198.18.0.1"])/ICMP())", "--timeout", "300ms"});
    INFO(result.err << result.out);
    CHECK(result.status == 0);
    CHECK(result.out.find("got 1 answers, remaining 1 packets") != std::string::npos);
    CHECK(result.err.find("198.51.100.77: the next hop does not answer") != std::string::npos);
}

TEST_CASE("What sniff writes, dissect reads, in both formats") {
    for (std::string name : {"sniffed.pcap", "sniffed.pcapng"}) {
        auto path = support::own_path(name);
        auto const line = sonde_command() + " sniff -i eth1 -f icmp -c 4 -t 10 -w " + path.string() + " & " +
                          sonde_command() + " srloop '" + echo +
                          "' --count 4 --inter 100ms >/dev/null; wait $!";
        auto sniffed = run({"sh", "-c", line});
        INFO(sniffed.err);
        CHECK(sniffed.status == 0);
        auto read = run({sonde_command(), "dissect", "--summary", "-r", path.string()});
        INFO(read.err << read.out);
        CHECK(read.status == 0);
        CHECK(read.out.find("Ether / IP / ICMP 198.51.100.1 > 198.18.0.1 echo-request 0") !=
              std::string::npos);
        CHECK(std::ranges::count(read.out, '\n') == 4);
        std::filesystem::remove(path);
    }
}

TEST_CASE("What sniff writes as pcapng has the names of the interfaces, of several too") {
    auto path = support::own_path("names.pcapng");
    auto const line = sonde_command() + " sniff -f icmp -c 12 -t 10 -w " + path.string() + " & " +
                      sonde_command() + " srloop '" + echo + "' --count 4 --inter 100ms >/dev/null; " +
                      sonde_command() +
                      " srloop 'IP(dst=\"127.0.0.1\")/ICMP()' --count 4 --inter 100ms >/dev/null; wait $!";
    CHECK(run({"sh", "-c", line}).status == 0);
    std::ifstream file(path, std::ios::binary);
    std::string const bytes{std::istreambuf_iterator<char>(file), {}};
    using namespace std::string_view_literals;
    CHECK(bytes.find("\2\0\4\0eth1\x9\0\1\0"sv) != bytes.npos);  // if_name, if_tsresol
    CHECK(bytes.find("\2\0\2\0lo\0\0\x9\0\1\0"sv) != bytes.npos);
    std::filesystem::remove(path);
}

TEST_CASE("What sniff writes to a pipe, dissect reads from it while it comes") {
    auto const line = sonde_command() + " sniff -i eth1 -f icmp -c 4 -t 10 -w - | " + sonde_command() +
                      " dissect --summary -r - & " + sonde_command() + " srloop '" + echo +
                      "' --count 4 --inter 100ms >/dev/null; wait $!";
    auto read = run({"sh", "-c", line});
    INFO(read.err << read.out);
    CHECK(read.status == 0);
    CHECK(read.out.starts_with("Ether / IP / ICMP 198.51.100.1 > 198.18.0.1 echo-request 0"));
    CHECK(std::ranges::count(read.out, '\n') == 4);
}

TEST_CASE("Without the capability each verb says how to get it") {
    auto drop = std::vector<std::string>{"setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw",
                                         "--ambient-caps=-all"};
    for (std::string verb : {"sr1", "sr", "srloop", "send", "sniff"}) {
        auto command = drop;
        command.push_back(sonde_command());
        command.push_back(verb);
        if (verb != "sniff") command.push_back(R"(IP(dst="198.18.0.1")/TCP(dport=80))");
        auto result = run(command);
        INFO(verb << ": " << result.err << result.out);
        CHECK(result.status == 3);
        CHECK(result.err.find("CAP_NET_RAW") != std::string::npos);
        CHECK(result.err.find("CapabilityBoundingSet=CAP_NET_RAW") !=
              std::string::npos);  // setcap gives nothing here
        CHECK(result.err.find("sonde lab --") != std::string::npos);
    }
    drop.insert(drop.end(), {sonde_command(), "sr1", echo});
    CHECK(run(drop).status == 0);  // the lab's ping sockets are for everyone
}
