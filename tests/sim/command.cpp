// `sonde VERB --sim`: every verb for those who may send nothing.
#include "support/command.hpp"
#include "support/catch.hpp"
#include "support/own_path.hpp"

#include <string>
#include <vector>

namespace {

support::command_result sonde(std::vector<std::string> words) {
    words.insert(words.begin(), support::sonde_command());
    words.push_back("--sim");
    auto result = support::run(words);
    INFO("stdout: " << result.out << "\nstderr: " << result.err);
    CHECK(result.err.find("permission") == std::string::npos);
    return result;
}

bool holds(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE(
    "The verbs run on the simulated lab: answers, silence, rounds at once, and the same output each time") {
    auto sr = sonde({"sr", R"(IP(dst="198.18.0.1")/TCP(dport=[21,22,23]))"});
    CHECK(sr.status == 0);
    CHECK(holds(sr.out, "Received 3 packets, got 3 answers, remaining 0 packets"));
    CHECK(sr.out == sonde({"sr", R"(IP(dst="198.18.0.1")/TCP(dport=[21,22,23]))"}).out);

    auto sr1 = sonde({"sr1", R"(IPv6(dst="2001:db8::1")/ICMPv6EchoRequest())"});
    CHECK(sr1.status == 0);
    auto silent = sonde({"sr1", R"(IP(dst="198.19.248.1")/ICMP())", "--timeout", "60", "--retry", "10"});
    CHECK(silent.status == 1);  // after eleven minutes that took none

    auto loop = sonde({"srloop", R"(IP(dst="198.18.0.1")/ICMP())", "--count", "3"});
    CHECK(loop.status == 0);
    CHECK(holds(loop.out, "Sent 3 packets, received 3 packets. 100.0% hits."));

    CHECK(sonde({"send", R"(IP(dst="198.18.0.1")/UDP())", "--count", "10", "--inter", "1s"}).status == 0);
    CHECK(sonde({"sendp", R"(Ether()/IP(dst="198.18.0.1"))", "--iface", "eth1"}).status == 0);
    CHECK(sonde({"srp", R"(Ether()/ARP(pdst="198.51.100.2"))"}).status == 0);
    CHECK(sonde({"sniff", "--timeout", "3"}).status == 1);
    CHECK(sonde({"sniff"}).status == 1);  // nothing will ever come
    CHECK(sonde({"sr1", R"(IP(dst="198.18.0.1")/ICMP())", "--iface", "eth9"}).status == 3);
}

TEST_CASE("The command tells each probe's outcome, why packets were taken, and a loop's statistics") {
    auto both = R"(IP(dst=["198.18.0.1","198.51.100.77"])/ICMP())";
    auto json = sonde({"sr", both, "--json", "--timeout", "1s"});
    CHECK(holds(json.out, R"({"type":"answer","outcome":"answered",)"));
    CHECK(holds(json.out, R"({"type":"unanswered","outcome":"send_failed","error":"the next hop)"));
    CHECK(json.status == 0);
    auto silent = sonde({"sr1", R"(IP(dst="198.51.100.77")/ICMP())", "--json"});
    CHECK(silent.status == 3);
    auto why = sonde({"sr", both, "--explain"});
    CHECK(holds(why.err, "198.51.100.1 echo-reply 0: probe 0, attempt 1"));
    CHECK(!holds(why.out, "matched"));
    auto loop = sonde({"srloop", both, "--count", "2", "--statistics"});
    CHECK(holds(loop.out, "packet 0: 2 of 2 answered, 0.0% loss, rtt min/avg/max/mdev 0.200/"));
    CHECK(holds(loop.out, "packet 1: 0 of 2 answered, 100.0% loss"));
}

TEST_CASE("The simulated lab's time can pass as time does; without --sim that is a mistake") {
    auto paced =
        sonde({"srloop", R"(IP(dst="198.18.0.1")/ICMP())", "--count", "2", "--inter", "100ms", "--pace"});
    CHECK(paced.status == 0);
    CHECK(holds(paced.out, "Sent 2 packets, received 2 packets."));
    auto alone = support::run({support::sonde_command(), "sr1", "IP()/ICMP()", "--pace"});
    CHECK(alone.status == 2);
}

TEST_CASE(
    "The command refuses special addresses out of sets, takes those written, and blocks what it is told to") {
    std::string const both = R"(IP(dst=("198.51.100.255","198.51.101.0"))/UDP(dport=9))";
    auto refused = sonde({"send", both});
    CHECK(refused.status == 3);
    CHECK(holds(refused.err, "198.51.100.255 (broadcast)"));
    CHECK(holds(refused.err, "--allow-target KIND"));
    CHECK(!holds(sonde({"send", both, "--allow-target", "broadcast"}).err, "(broadcast)"));
    CHECK(sonde({"send", R"(IP(dst="198.51.100.255")/UDP(dport=9))"}).status == 0);

    std::string const scan = R"(IP(dst="198.18.0.0/30")/ICMP())";
    auto some = sonde({"sr", scan, "--block", "198.18.0.2/31", "--block", "198.18.0.1"});
    CHECK(holds(some.out, "got 1 answers, remaining 3 packets"));
    auto none = sonde({"sr1", R"(IP(dst="198.18.0.1")/ICMP())", "--block", "198.18.0.0/15"});
    CHECK(none.status == 3);
    CHECK(holds(none.err, "198.18.0.1: the network does not send there"));
    auto wrong = sonde({"sr1", scan, "--block", "198.18.0.0/33"});
    CHECK(wrong.status == 2);
    CHECK(holds(wrong.err, "198.18.0.0/33"));
    auto kind = sonde({"srloop", scan, "--count", "1", "--allow-target", "anycast"});
    CHECK(kind.status == 2);
    CHECK(holds(kind.err, "\"anycast\" is no kind of target"));
}

TEST_CASE("Ping, traceroute and scan refuse special addresses out of networks and ranges; the others go on") {
    for (std::string target : {"198.51.100.254/31", "198.51.100.254-255", "198.51.100.255-198.51.101.0"})
        for (std::vector<std::string> tool : {std::vector<std::string>{"ping", "--count", "1"},
                                              {"traceroute", "--max-hops", "1"},
                                              {"scan", "--state", "all"}}) {
            INFO(tool[0] << " " << target);
            tool.insert(tool.end(), {target, "--timeout", "100ms"});
            auto refused = sonde(tool);
            auto text = refused.out + refused.err;
            CHECK(holds(text, "198.51.100.255"));
            CHECK(holds(text, "write it as it is, or allow its kind"));
            CHECK(holds(text, target.ends_with("101.0") ? "198.51.101.0" : "198.51.100.254"));
            tool.insert(tool.end(), {"--allow-target", "broadcast"});
            auto allowed = sonde(tool);
            CHECK(!holds(allowed.out + allowed.err, "allow its kind"));
        }
    // Named: somebody wrote it, alone or beside a network that has it too, or wrote the class.
    for (std::vector<std::string> words : {std::vector<std::string>{"198.51.100.255"},
                                           {"198.51.100.254/31", "198.51.100.255"},
                                           {"127.0.0.1-9"},
                                           {"239.0.0.0/31"}}) {
        INFO(words[0]);
        words.insert(words.end(), {"--timeout", "100ms"});
        auto scan = words, ping = words;
        scan.insert(scan.begin(), {"scan", "--state", "all"});
        ping.insert(ping.begin(), {"ping", "--count", "1"});
        CHECK(!holds(sonde(scan).out, "allow its kind"));
        CHECK(!holds(sonde(ping).out, "allow its kind"));
    }
}

TEST_CASE("Results that cannot be written are told of, and are no success") {
    std::vector<std::string> const commands{R"(build 'IP()/ICMP()')",
                                            R"(show 'IP()/ICMP()')",
                                            "layers",
                                            R"(sr1 'IP(dst="198.18.0.1")/ICMP()' --sim)",
                                            "ping 198.18.0.1 --count 1 --sim",
                                            "--help"};
    for (auto const& command : commands)
        for (std::string const nowhere : {">/dev/full", ">&-"}) {
            INFO(command << " " << nowhere);
            auto result =
                support::run({"sh", "-c", support::sonde_command() + " " + command + " " + nowhere});
            CHECK(result.status == 3);
            CHECK(holds(result.err, "sonde"));
            CHECK(!holds(result.err, "Invalid argument"));  // of a socket that has its number
        }
}

TEST_CASE("What cannot be said on stderr changes nothing of the results and the status") {
    auto run = [](std::string const& command) {
        return support::run({"sh", "-c", support::sonde_command() + " " + command});
    };
    for (std::string const nowhere : {"2>/dev/full", "2>&-"}) {
        INFO(nowhere);
        CHECK(run("sr1 'IP(' --sim " + nowhere).status == 2);
        auto answered = run(R"(sr1 'IP(dst="198.18.0.1")/ICMP()' --sim )" + nowhere);
        CHECK(answered.status == 0);
        CHECK(holds(answered.out, "echo-reply"));
    }
}

TEST_CASE("A capture whose file cannot be written does not begin") {
    auto result = sonde({"sniff", "--write", "/nowhere/capture.pcap"});
    CHECK(result.status == 3);
    CHECK(holds(result.err, "/nowhere/capture.pcap"));
    CHECK(!holds(result.err, "captured"));
}

namespace {

/// A scan whose first line is read and no more of it, until it waits for its reader ($p is its process, 3
/// reads what it prints); then `script`.
support::command_result while_nobody_reads(std::string const& script) {
    auto const fifo = support::own_path("unread");
    return support::run(
        {"sh", "-c",
         "mkfifo " + fifo.string() + "; " + support::sonde_command() +
             " scan --sim 198.18.0.0/16 -p 80 --json > " + fifo.string() + " & p=$!; exec 3< " +
             fifo.string() + "; rm " + fifo.string() +
             "; read first <&3; n=0; while [ $n -lt 5 ]; do "
             "case $(cut -d' ' -f3 /proc/$p/stat) in S) n=$((n+1));; *) n=0;; esac; sleep 0.02; "
             "done; " +
             script});
}

}  // namespace

TEST_CASE("Ctrl-C while nobody reads the results waits for the reader, and cuts no line") {
    auto result = while_nobody_reads("kill -INT $p; sleep 0.3; tail -n 1 <&3; wait $p; echo $?");
    CHECK(holds(result.out, R"({"type":"summary",)"));
    CHECK(result.out.ends_with("}\n130\n"));
    CHECK(!holds(result.err, "output"));
}

TEST_CASE("A second Ctrl-C ends the command at once, though it waits for a reader") {
    auto result = while_nobody_reads("kill -INT $p; sleep 0.3; kill -INT $p; wait $p; echo $?");
    CHECK(result.out == "130\n");
    CHECK(result.err.empty());
}

TEST_CASE("Host names are none that a simulation knows, and nobody else is asked") {
    for (auto const* tool : {"ping", "traceroute", "scan", "arping"}) {
        INFO(tool);
        auto result = sonde({tool, "localhost"});
        CHECK(result.status == 3);
        CHECK(holds(result.err, "localhost: a simulation has no names"));
    }
}

TEST_CASE("Port 0 is a port, not an address that was asked") {
    auto grep = sonde({"scan", "198.18.0.1", "-p", "0", "--state", "all", "-o", "grep"});
    CHECK(holds(grep.out, "Ports: 0/closed/tcp"));
    auto text = sonde({"scan", "198.18.0.1", "-p", "0", "--state", "all"});
    CHECK(holds(text.out, "0/tcp"));
}

TEST_CASE("Options that have no use beside others are refused") {
    CHECK(sonde({"scan", "198.18.0.0/30", "--limit", "1"}).status == 2);
    CHECK(sonde({"scan", "198.18.0.0/30", "--dry-run", "--json"}).status == 2);
    CHECK(sonde({"scan", "198.18.0.0/30", "--dry-run", "--limit", "1"}).status == 0);
    CHECK(sonde({"sniff", "--write", "/nowhere/x.pcap", "--json"}).status == 2);
    CHECK(sonde({"sniff", "--write", "/nowhere/x.pcap", "--rotate-size", "0"}).status == 2);
}

TEST_CASE("Statistics of a packet that nobody answered have no round-trip times") {
    std::string const silent = R"(IP(dst="198.19.248.1")/ICMP())";
    auto text = sonde({"srloop", silent, "--count", "2", "--statistics"});
    CHECK(holds(text.out, "packet 0: 0 of 2 answered, 100.0% loss\n"));
    auto json = sonde({"srloop", silent, "--count", "2", "--statistics", "--json"});
    CHECK(holds(json.out, R"("answered":0,"rtt_us":null})"));
    CHECK(holds(sonde({"ping", "198.19.248.1", "--count", "1", "--json"}).out, R"("rtt_us":null)"));
}
