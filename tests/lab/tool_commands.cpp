// The tools against a real kernel. ctest runs this inside the lab.
#include "support/catch.hpp"
#include "support/command.hpp"
#include "support/own_path.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

support::command_result command(std::vector<std::string> words) {
    words.insert(words.begin(), support::sonde_command());
    return support::run(words);
}

bool holds(std::string const& text, std::string_view part) {
    return text.find(part) != text.npos;
}

std::size_t count(std::string const& text, std::string_view part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
    return n;
}

}  // namespace

TEST_CASE("A scan of the lab finds every open port and every closed one, by TCP, UDP and ping") {
    auto scan =
        command({"scan", "198.18.0.0/26", "2001:db8::/122", "-p", "22,80,81,443,U:7,9", "--state", "all"});
    INFO(scan.err);
    CHECK(scan.status == 0);
    CHECK(count(scan.out, " syn-ack ") == 128 * 3);
    CHECK(count(scan.out, " reset ") == 128);
    CHECK(count(scan.out, " udp-response ") == 128);
    CHECK(count(scan.out, "/tcp") + count(scan.out, "/udp") == 128 * 6);
    auto sweep = command({"scan", "198.18.0.0/24", "198.19.248.0/30", "-t", "200ms", "-r", "1"});
    CHECK(holds(sweep.err, "260 of 260 probes: 256 up, 4 down"));
}

TEST_CASE("The lab's neighbour is found by ARP, by its IPv6 address and among all nodes") {
    auto arp = command({"arping", "198.51.100.0/29", "-i", "eth1", "-t", "200ms"});
    CHECK(arp.status == 0);
    CHECK(holds(arp.out, "198.51.100.2    02:00:c6:33:64:02"));
    CHECK(holds(arp.err, "1 hosts answered"));
    auto nd = command({"ndping", "2001:db8:ffff::2", "-i", "eth1", "-t", "500ms"});
    CHECK(holds(nd.out, "2001:db8:ffff::2 02:00:c6:33:64:02"));
    auto silent = command({"arping", "198.51.100.77", "-i", "eth1", "-t", "50ms"});
    CHECK(silent.status == 1);
    CHECK(command({"arping", "2001:db8::1"}).status == 2);
}

TEST_CASE("Traceroute reaches the lab's targets by every protocol, and finds the MTU of the way") {
    for (auto const* how : {"--icmp", "--tcp", "--udp"})
        for (auto const* target : {"198.18.0.1", "2001:db8::1"}) {
            auto t = command({"traceroute", target, how});
            INFO(how << " " << target << "\n" << t.out << t.err);
            CHECK(t.status == 0);
            CHECK(count(t.out, "\n") == 2);
            CHECK(count(t.out, " ms") == 3);
        }
    CHECK(holds(command({"traceroute", "198.18.0.1", "--mtu"}).out, "path MTU 1500"));
}

TEST_CASE("What a resolver says of a broadcast address is no target of the tools; a name of this host is") {
    // inet_aton's way of writing addresses: a host name for sonde, which every resolver knows.
    std::string const trap = "0xc63364ff", own = "localhost", host = "0xc6120001";
    for (std::vector<std::string> tool : {std::vector<std::string>{"ping", "-c", "1"},
                                          {"traceroute", "-m", "1", "--icmp"},
                                          {"scan", "--state", "all", "-r", "0"}}) {
        INFO(tool[0]);
        tool.insert(tool.end(), {trap, host, own, "-t", "200ms"});
        auto told = command(tool);
        INFO(told.out << told.err);
        CHECK(count(told.out + told.err, "allow its kind") >= 1);
        CHECK(count(told.out, "198.18.0.1") >= 1);
        CHECK(count(told.out, "127.0.0.1") >= 1);
        CHECK(!holds(told.out + told.err, "single value"));
        if (tool[0] == "ping")
            CHECK((holds(told.out, "from 198.18.0.1") && holds(told.out, "from 127.0.0.1")));
    }
}

TEST_CASE("A ping that Ctrl-C ends tells what it sent, and what of it was on the way") {
    auto ping = support::run({"timeout", "--foreground", "-s", "INT", "1.1", support::sonde_command(), "ping",
                              "198.19.248.1", "198.18.0.1", "-t", "9", "--interval", "200ms", "--json"});
    INFO(ping.out);
    CHECK(!holds(ping.out, R"("target":"198.19.248.1","sent":0)"));
    auto silent = ping.out.substr(ping.out.find(R"("type":"target","target":"198.19.248.1")"));
    auto number = [&](std::string const& name) {
        return std::stoi(silent.substr(silent.find("\"" + name + "\":") + name.size() + 3));
    };
    CHECK(number("sent") >= 3);
    CHECK(number("open") == number("sent"));
    CHECK(number("loss") == 0);
    CHECK(holds(ping.out, R"("target":"198.18.0.1","sent":)"));
}

TEST_CASE("Where nothing can leave, the tools say why once, and end with 3") {
    support::run({"ip", "link", "add", "asleep", "type", "veth", "peer", "name", "asleep2"});
    for (auto const* tool : {"arping", "ndping"}) {
        auto down = command(std::string_view(tool) == "arping"
                                ? std::vector<std::string>{tool, "198.51.100.2", "-i", "asleep", "-t", "50ms"}
                                : std::vector<std::string>{tool, "-i", "asleep", "-t", "50ms"});
        INFO(down.err);
        CHECK(down.status == 3);
        CHECK(count(down.err, "the interface is down") == 1);
    }
    support::run({"ip", "link", "del", "asleep"});
    support::run({"ip", "route", "add", "unreachable", "203.0.113.0/24"});
    for (std::vector<std::string> const& words : {std::vector<std::string>{"ping", "203.0.113.1", "-c", "2"},
                                                  {"traceroute", "203.0.113.1"},
                                                  {"traceroute", "203.0.113.1", "--json", "-m", "2"}}) {
        auto lost = command(words);
        INFO(lost.out << lost.err);
        CHECK(lost.status == 3);
        CHECK(count(lost.err, "no route") == 1);
        CHECK(!holds(lost.out, "*"));
    }
    auto some = command({"traceroute", "203.0.113.1", "198.18.0.1"});
    CHECK(some.status == 1);
    CHECK(holds(some.out, " 1  198.18.0.1"));
    support::run({"ip", "route", "del", "unreachable", "203.0.113.0/24"});
}

TEST_CASE("The first Ctrl-C ends a scan in order: what there is, a resume file, 130") {
    auto path = support::own_path("lab").string();
    std::vector<std::string> const words = {
        support::sonde_command(), "scan", "198.18.0.0/18", "-p", "80", "-R", "500", "--resume", path};
    auto child = ::fork();
    if (child == 0) {
        support::detail::be_quiet();
        support::detail::execute(words);
    }
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!std::filesystem::exists(path) && std::chrono::steady_clock::now() < until) ::usleep(1000);
    ::kill(child, SIGINT);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 130);
    CHECK(std::filesystem::exists(path));
    std::filesystem::remove(path);
}

TEST_CASE("A capture goes on in new files, of which the newest are kept") {
    auto directory = support::own_path("rotate");
    std::filesystem::create_directories(directory);
    std::vector<std::string> const words = {support::sonde_command(),
                                            "sniff",
                                            "-i",
                                            "eth1",
                                            "-f",
                                            "icmp",
                                            "-c",
                                            "40",
                                            "-t",
                                            "10",
                                            "-w",
                                            (directory / "cap.pcapng").string(),
                                            "--rotate-size",
                                            "1k",
                                            "--keep",
                                            "3"};
    auto child = ::fork();
    if (child == 0) {
        support::detail::be_quiet();
        support::detail::execute(words);
    }
    int status = 0;
    for (int round = 0; round < 20 && ::waitpid(child, &status, WNOHANG) == 0; ++round)
        command({"ping", "198.18.0.1", "-c", "20", "--interval", "2ms", "-q"});
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    std::size_t files = 0;
    for (auto const& f : std::filesystem::directory_iterator(directory)) {
        ++files;
        CHECK(std::filesystem::file_size(f) < 2048);
        CHECK(command({"dissect", "--summary", "-r", f.path().string()}).status == 0);
    }
    CHECK(files == 3);
    CHECK(std::filesystem::exists(directory / "cap-00005.pcapng"));
    std::filesystem::remove_all(directory);
}
