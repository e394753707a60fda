// The tools as commands, on the simulated network: shards and their merging, scans that were killed, replay,
// neighbours, and what is printed.
#include "support/command.hpp"
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>
#include <sonde/tools/neighbours.hpp>
#include <sonde/tools/replay.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

support::command_result command(std::vector<std::string> words, std::string const& input = {}) {
    words.insert(words.begin(), support::sonde_command());
    return support::run(words, input);
}

bool holds(std::string const& text, std::string_view part) {
    return text.find(part) != text.npos;
}

/// A directory of its own, gone with the test.
class directory {
public:
    directory()
        : path_(std::filesystem::temp_directory_path() / ("sonde-tools-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(path_);
    }
    ~directory() { std::filesystem::remove_all(path_); }
    std::string file(std::string const& name) const { return (path_ / name).string(); }
    std::size_t size() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
    }

private:
    std::filesystem::path path_;
};

std::string read(std::string const& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// How often each target and port came.
std::map<std::string, int> results_of(std::string const& lines) {
    static std::regex const result(R"rx("type":"answer","target":"([^"]+)","proto":"[a-z]+","port":(\d+))rx");
    std::map<std::string, int> found;
    for (std::sregex_iterator i(lines.begin(), lines.end(), result), end; i != end; ++i)
        ++found[(*i)[1].str() + " " + (*i)[2].str()];
    return found;
}

bool each_once(std::map<std::string, int> const& found) {
    return std::ranges::all_of(found, [](auto const& f) { return f.second == 1; });
}

/// Runs a command and kills it after so long; true when it was still running.
bool run_and_kill(std::vector<std::string> words, std::chrono::milliseconds after) {
    words.insert(words.begin(), support::sonde_command());
    auto child = ::fork();
    if (child == 0) {
        support::detail::be_quiet();
        support::detail::execute(words);
    }
    auto until = std::chrono::steady_clock::now() + after;
    int status = 0;
    while (std::chrono::steady_clock::now() < until) {
        if (::waitpid(child, &status, WNOHANG) == child) return false;
        ::usleep(1000);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return true;
}

std::vector<std::string> const scan_words = {"scan", "198.18.0.0/26", "-p",      "22,81,U:7,9", "--sim",
                                             "-o",   "jsonl",         "--state", "all"};

std::vector<std::string> operator+(std::vector<std::string> words, std::vector<std::string> const& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

}  // namespace

TEST_CASE("n processes scan exactly what one does, and merge joins what they found") {
    auto whole = results_of(command(scan_words).out);
    REQUIRE(whole.size() == 64 * 4);
    std::mt19937 chance(static_cast<unsigned>(support::seed()));
    for (int round = 0; round < 3; ++round) {
        auto n = 1 + chance() % 7;
        std::string all;
        for (unsigned i = 1; i <= n; ++i)
            all += command(scan_words + std::vector<std::string>{"--shard", fmt::format("{}/{}", i, n)} +
                           std::vector<std::string>{"--seed", "7"})
                       .out;
        CHECK(results_of(all) == whole);
        auto merged = command({"merge", "--expect", std::to_string(n)}, all + all);
        CHECK(merged.status == 0);
        CHECK(results_of(merged.out) == whole);
        CHECK(holds(merged.out, fmt::format("\"results\":256,\"repeats\":256")));
        CHECK(holds(merged.out, R"("answered":256,)"));  // what came twice is counted once
        CHECK(holds(merged.out, R"("sent":256)"));
    }
}

TEST_CASE("Shards that are given no seed agree on one; Slurm's job gives its own") {
    auto one = command(scan_words + std::vector<std::string>{"--shard", "1/2"}).out;
    auto two = command(scan_words + std::vector<std::string>{"--shard", "2/2"}).out;
    CHECK(command({"merge"}, one + two).status == 0);
    ::setenv("SLURM_ARRAY_JOB_ID", "4711", 1);
    auto job = command(scan_words + std::vector<std::string>{"--shard", "1/2"}).out;
    ::unsetenv("SLURM_ARRAY_JOB_ID");
    auto mixed = command({"merge"}, job + two);
    CHECK(mixed.status == 1);
    CHECK(holds(mixed.err, "is of another scan"));
}

TEST_CASE("merge fails loudly when a shard is missing, did not end, or was cut off inside a line") {
    auto one = command(scan_words + std::vector<std::string>{"--shard", "1/2"}).out;
    auto missing = command({"merge"}, one);
    CHECK(missing.status == 1);
    CHECK(holds(missing.err, "shard 2/2: is missing"));
    CHECK(holds(missing.out, "\"complete\":false"));
    auto two = command(scan_words + std::vector<std::string>{"--shard", "2/2"}).out;
    auto ended = command({"merge"}, one + two.substr(0, two.find("{\"type\":\"summary\"")));
    CHECK(ended.status == 1);
    CHECK(holds(ended.err, "shard 2/2: has no summary record"));
    auto cut = command({"merge"}, one + two.substr(0, two.size() - 300));
    CHECK(cut.status == 1);
    CHECK(holds(cut.err, "no JSON record"));
    CHECK(command({"merge"}, "").status == 1);
    CHECK(command({"merge", "/nowhere/at/all"}).status == 3);
}

TEST_CASE("A scan that is killed at any moment and resumed tells of every target exactly once") {
    directory here;
    std::mt19937 chance(static_cast<unsigned>(support::seed()));
    auto words = std::vector<std::string>{"scan",     "198.18.0.0/20",
                                          "-p",       "80",
                                          "--sim",    "--pace",
                                          "-R",       "1000",
                                          "-o",       "jsonl",
                                          "--state",  "all",
                                          "--resume", here.file("resume"),
                                          "-w",       here.file("out")};
    int kills = 0;
    while (kills < 3 && run_and_kill(words, std::chrono::milliseconds(1100 + chance() % 700))) ++kills;
    CHECK(kills == 3);
    auto part = results_of(read(here.file("out"))).size();
    CHECK(part > 500);
    CHECK(part < 4096);
    words.erase(words.begin() + 5, words.begin() + 8);  // the rest as fast as it goes
    auto last = command(words);
    CHECK(last.status == 0);
    auto text = read(here.file("out"));
    auto found = results_of(text);
    CHECK(found.size() == 4096);
    CHECK(each_once(found));
    CHECK(command({"merge", here.file("out")}).status == 0);
    auto again = command(words);
    CHECK(again.status == 0);
    CHECK(holds(again.err, "has ended"));
    CHECK(read(here.file("out")) == text);
    auto other = command(words + std::vector<std::string>{"--seed", "5"});
    CHECK(other.status == 2);
    CHECK(holds(other.err, "is of another scan"));
}

TEST_CASE(
    "A scan prints what was asked for: states, CSV, nmap's greppable form, and the packets of a dry run") {
    auto text = command({"scan", "198.18.0.1", "-p", "22,81", "--sim"});
    CHECK(text.status == 0);
    CHECK(holds(text.out, "198.18.0.1      22/tcp    open          syn-ack  ttl 64"));
    CHECK(!holds(text.out, "81/tcp"));
    CHECK(holds(text.err, "2 of 2 probes: 1 open, 1 closed"));
    auto csv = command({"scan", "198.18.0.1", "-p", "81", "--sim", "-o", "csv", "--state", "closed"});
    CHECK(csv.out.starts_with(
        "target,proto,port,state,reason,ttl,rtt_us,attempt\n198.18.0.1,tcp,81,closed,\"reset\",64,"));
    auto grep = command({"scan", "198.18.0.1", "-p", "22", "--sim", "-o", "grep"});
    CHECK(grep.out == "Host: 198.18.0.1 ()\tPorts: 22/open/tcp////\n");
    auto dry =
        command({"scan", "198.18.0.0/30", "-p", "22", "--dry-run", "--exclude", "198.18.0.2-3", "--sim"});
    CHECK(std::ranges::count(dry.out, '\n') == 2);
    CHECK(holds(dry.err, "nothing was sent"));
    auto file = command({"scan", "-f", "-", "--sim"}, "198.18.0.1 198.18.0.2\n# nothing\n");
    CHECK(holds(file.err, "2 of 2 probes: 2 up"));
    for (auto const& [words, told] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"198.18.0.1", "-p", "http"}, "\"http\" is no port"},
             {{"198.18.0.256"}, "\"198.18.0.256\" is no target"},
             {{}, "no target"},
             {{"198.18.0.1", "--shard", "3/2"}, "\"3/2\" is no shard"},
             {{"198.18.0.1", "-o", "xml"}, "text, jsonl, csv or grep"}}) {
        auto wrong = command(std::vector<std::string>{"scan", "--sim"} + words);
        CHECK(wrong.status == 2);
        CHECK(holds(wrong.err, told));
    }
}

TEST_CASE("ping ends with its statistics, and 1 when a target stayed silent") {
    auto good = command({"ping", "198.18.0.1", "2001:db8::1", "-c", "3", "--sim"});
    CHECK(good.status == 0);
    CHECK(holds(good.out, "64 bytes from 198.18.0.1: seq=3 ttl=64"));
    CHECK(holds(good.out, "2001:db8::1      3/3 0.0% loss"));
    auto silent = command({"ping", "198.19.248.1", "-c", "2", "--sim", "--json"});
    CHECK(silent.status == 1);
    CHECK(holds(silent.out, "\"answered\":0,\"errors\":0,\"loss\":1.000000"));
    CHECK(command({"ping", "198.18.0.1", "--tcp", "99999", "--sim"}).status == 2);
}

TEST_CASE("A value that an option may have is attached to it; the next word is the next word") {
    for (std::vector<std::string> const& words :
         {std::vector<std::string>{"ping", "--tcp", "198.18.0.1", "-c", "1"},
          {"ping", "--tcp=443", "198.18.0.1", "-c", "1"},
          {"traceroute", "-T", "198.18.0.1"},
          {"traceroute", "-qT", "198.18.0.1"},
          {"traceroute", "-T443", "198.18.0.1"},
          {"traceroute", "--udp", "198.18.0.1"},
          {"send", "--loop", R"(IP(dst="198.18.0.1")/ICMP())", "-c", "2"},
          {"send", R"(IP(dst="198.18.0.1")/ICMP())", "--loop=0"}}) {
        auto fine = command(words + std::vector<std::string>{"--sim"});
        INFO(words[0] << " " << words[1] << "\n" << fine.err);
        CHECK(fine.status == 0);
    }
    auto wrong = command({"send", R"(IP(dst="198.18.0.1")/ICMP())", "--loop=x", "-c", "1", "--sim"});
    CHECK(wrong.status == 2);
    CHECK(holds(wrong.err, "--loop=x: --loop alone"));
}

TEST_CASE("A scan that was killed before its first result has one header when it goes on") {
    directory here;
    std::vector<std::string> const words = {
        "scan",     "198.18.0.0/30",    "--sim", "-o", "csv", "-w", here.file("out.csv"),
        "--resume", here.file("resume")};
    CHECK(command(words).status == 0);
    auto whole = read(here.file("out.csv"));
    auto state = read(here.file("resume"));
    auto header = std::to_string(whole.find('\n') + 1);
    state = std::regex_replace(state, std::regex(R"("output":"[0-9]*")"), R"("output":")" + header + "\"");
    state = std::regex_replace(state, std::regex(R"("complete":"yes","done":"[^"]*")"),
                               R"("complete":"no","done":"")");
    std::ofstream(here.file("resume")) << state;
    CHECK(command(words).status == 0);
    auto again = read(here.file("out.csv"));
    CHECK(again.starts_with("target,proto,"));
    CHECK(again.find("target,proto,", 1) == again.npos);
    CHECK(std::ranges::count(again, '\n') == std::ranges::count(whole, '\n'));
}

TEST_CASE("What is wrong is told in one line of printable text, with 2") {
    directory here;
    auto list = here.file("list");
    std::ofstream(list) << "198.18.0.1\n198.18.0.3-1\n";
    for (std::vector<std::string> const& words : {std::vector<std::string>{"ping", "198.18.0.3-1"},
                                                  {"ping", "-f", list},
                                                  {"ping", "-f", here.file("")},
                                                  {"ping", "198.18.0.1", "--block", "300.1.1.1"},
                                                  {"ping", "198.18.0.1", "--iface", "e\x1b[31m"},
                                                  {"ping", "198.18.0.1", "-c", "\x1b[31m"},
                                                  {"ping", "198.18.0.1", "-t", "\x1b[31m"},
                                                  {"ping", "198.18.0.1", "--\x1b[31m"},
                                                  {"scan", "198.18.0.1", "-p", "65536"},
                                                  {"scan", "198.18.0.1", "--shard", "0/3"},
                                                  {"scan", "198.18.0.1", "--json", "-o", "csv"},
                                                  {"scan", "198.18.0.1", "-o", "\x1b[31m"},
                                                  {"layers", "Foo"}}) {
        auto wrong = command(words[0] == "layers" ? words : words + std::vector<std::string>{"--sim"});
        INFO(words[0] << " " << words[1] << "\n" << wrong.err);
        CHECK(wrong.status == 2);
        CHECK(!holds(wrong.err, "[sonde:"));
        CHECK(std::ranges::count(wrong.err, '\n') == 1);
        CHECK(std::ranges::all_of(wrong.err, [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
    }
    CHECK(holds(command({"ping", "-f", here.file(""), "--sim"}).err, "is a directory"));
    CHECK(holds(command({"ping", "-f", list, "--sim"}).err, "list:2: \"198.18.0.3-1\" is no target"));
}

TEST_CASE("show has colours at a terminal, but not at a dumb one") {
    for (std::string kind : {"xterm", "dumb"}) {
        int terminal = -1;
        auto child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
        if (child == 0) {
            ::setenv("TERM", kind.c_str(), 1);
            ::unsetenv("NO_COLOR");
            support::detail::execute({support::sonde_command(), "show", "IP()"});
        }
        std::string shown;
        while (support::detail::drain(terminal, shown)) continue;
        ::waitpid(child, nullptr, 0);
        ::close(terminal);
        CHECK(holds(shown, "IP  20 bytes"));
        CHECK(holds(shown, "\x1b[") == (kind == "xterm"));
    }
}

TEST_CASE("bash completes commands, options, and what man and completion take") {
    auto completed = [](std::string const& words) {
        auto script = "source <(\"$1\" completion bash); COMP_WORDS=(sonde " + words +
                      "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sonde; echo \"${COMPREPLY[*]}\"";
        return support::run({"bash", "-c", script, "bash", support::sonde_command()}).out;
    };
    CHECK(completed("trace") == "traceroute\n");
    CHECK(completed("scan --exclude-f") == "--exclude-file\n");
    CHECK(completed("man arp") == "arping\n");
    CHECK(holds(completed("man ''"), "traceroute"));
    CHECK(completed("completion ''") == "bash zsh\n");
}

TEST_CASE("Reports are one page that needs nothing from elsewhere") {
    directory here;
    for (auto const& words : std::vector<std::vector<std::string>>{{"ping", "198.18.0.1", "-c", "5"},
                                                                   {"traceroute", "198.18.0.1"},
                                                                   {"scan", "198.18.0.0/28", "-p", "22"}}) {
        auto page = here.file("report.html");
        CHECK(command(words + std::vector<std::string>{"--sim", "--report", page}).status == 0);
        auto html = read(page);
        CHECK(holds(html, "<svg"));
        CHECK(holds(html, "</body></html>"));
        for (auto const* part : {"<script", "http", "src=", "url("}) CHECK(!holds(html, part));
    }
}

TEST_CASE("show prints each field beside its bytes; completion and man know every tool") {
    auto shown = command({"show", R"(IP(dst="198.18.0.1")/UDP(dport=53)/"abc")"});
    CHECK(shown.status == 0);
    CHECK(holds(shown.out, "  0010  c6 12 00 01              dst                    = 198.18.0.1\n"));
    CHECK(holds(shown.out, "  0016  00 35                    dport                  = domain\n"));
    CHECK(!holds(shown.out, "\x1b["));
    CHECK(holds(command({"show", "IP()", "--color", "always"}).out, "\x1b[36m"));
    CHECK(command({"show", "IP(dstt=1)"}).status == 1);
    for (std::string tool : {"scan", "ping", "traceroute", "replay", "sniff", "arping", "show", "merge"}) {
        auto page = command({"man", tool});
        CHECK(page.status == 0);
        CHECK(page.out.starts_with(".TH SONDE"));
        CHECK(holds(command({"completion", "bash"}).out, "        " + tool + ") words=\"--help"));
        CHECK(holds(command({"completion", "zsh"}).out, "        " + tool + ") _arguments"));
    }
    CHECK(command({"man", "nothing"}).status == 2);
    CHECK(command({"completion", "fish"}).status == 2);
    CHECK(holds(command({"show", "/no/such.pcap"}).err, "/no/such.pcap: open: No such file"));
    CHECK(holds(command({"replay", "--sim"}).err, "a file is missing"));
}

TEST_CASE("A scan refuses what it does not understand, names it, and makes no file") {
    directory here;
    auto refused = [&](std::vector<std::string> const& more) {
        auto r =
            command(std::vector<std::string>{"scan", "198.18.0.1", "--sim", "-w", here.file("out")} + more);
        CHECK(r.status == 2);
        CHECK(here.size() == 0);
        return r.err;
    };
    CHECK(holds(refused({"--state", "open,opened"}), "--state opened: of open, closed"));
    CHECK(holds(refused({"--output", "xml"}), "--output xml: text, jsonl, csv or grep"));
    CHECK(holds(refused({"-p", "80,http"}), "\"http\" is no port"));
    CHECK(holds(refused({"--shard", "5/4"}), "\"5/4\" is no shard"));
    CHECK(holds(refused({"--rate", "fast"}), "\"fast\" is no rate"));
    CHECK(holds(refused({"--exclude", "198.18.0.0/33"}), "\"198.18.0.0/33\" is no target"));
}

TEST_CASE("replay keeps the file's gaps at any speed, in every pass, and measures none late") {
    directory here;
    std::vector<packet> session;
    for (auto at : {0ms, 200ms, 300ms}) {
        packet p = Ether{.dst = "02:00:00:00:00:02", .src = "02:00:00:00:00:01"} /
                   IP{.dst = "198.18.0.1", .src = "10.0.0.1"} / UDP{.dport = 9};
        p.time = timestamp(1000s + at);
        session.push_back(p);
    }
    write_pcap(here.file("session.pcap"), session);
    auto gaps = [&](tools::replay_options o) {
        std::vector<std::chrono::nanoseconds> found;
        support::simulate([&](simulation& sim) -> asio::awaitable<void> {
            sim.record();
            network net{co_await asio::this_coro::executor};
            o.iface = "eth1";
            tools::replay run(net, here.file("session.pcap"), o);
            auto r = co_await run.run();
            CHECK(r.sent.sent == sim.trace().size());
            if (!o.top) CHECK(r.measured == r.sent.sent);
            CHECK(r.lateness.most() == 0ns);
            for (auto const& f : sim.trace()) found.push_back(f.time - sim.trace().front().time);
        });
        return found;
    };
    using list = std::vector<std::chrono::nanoseconds>;
    CHECK(gaps({}) == list{0ms, 200ms, 300ms});
    CHECK(gaps({.speed = 2}) == list{0ms, 100ms, 150ms});
    CHECK(gaps({.passes = 2}) == list{0ms, 200ms, 300ms, 300ms, 500ms, 600ms});
    CHECK(gaps({.rate = 100}) == list{0ms, 10ms, 20ms});
    CHECK(gaps({.top = true}) == list{0ms, 0ms, 0ms});
    CHECK(gaps({.limit = 1}) == list{0ms});
}

TEST_CASE("What leaves after a packet that may not keeps its own time in a replay") {
    directory here;
    std::vector<packet> session;
    for (int i = 0; i < 4; ++i) {
        packet p = Ether{.dst = "02:00:00:00:00:02", .src = "02:00:00:00:00:01"} /
                   IP{.dst = ipv4(i == 0 ? "198.18.0.80" : "198.18.1.1"), .src = "10.0.0.1"} /
                   UDP{.dport = 9};
        p.time = timestamp(1000s + i * 1s);
        session.push_back(p);
    }
    write_pcap(here.file("session.pcap"), session);
    support::simulate([&](simulation& sim) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        net.block(address_set("198.18.0.0/24"));
        tools::replay run(net, here.file("session.pcap"), {.iface = "eth1"});
        auto const began = sim.now();
        auto r = co_await run.run();
        CHECK(r.sent.sent == 3);
        CHECK(r.measured == 3);
        CHECK(r.lateness.most() == 0ns);
        CHECK(sim.now() - began == 3s);
    });
}

TEST_CASE("A replay of a file that ends inside a record tells what left before, then the error once") {
    directory here;
    std::vector<packet> session(6, Ether{.dst = "02:00:00:00:00:02"} / IP{.dst = "198.18.0.1"} / UDP{});
    write_pcap(here.file("cut.pcap"), session);
    std::filesystem::resize_file(here.file("cut.pcap"),
                                 std::filesystem::file_size(here.file("cut.pcap")) - 3);
    for (auto const* verb : {"replay", "sendp"}) {
        INFO(verb);
        auto result = command({verb, here.file("cut.pcap"), "--sim", "--json"});
        CHECK(result.status == 3);
        CHECK(holds(result.out, R"({"type":"summary","sent":5,)"));
        std::string_view const what = "the capture file ends inside a record";
        auto const at = result.err.find(what);
        REQUIRE(at != result.err.npos);
        CHECK(result.err.find(what, at + 1) == result.err.npos);
    }
}

TEST_CASE("replay rewrites addresses, and the checksums follow") {
    directory here;
    packet p = Ether{.dst = "02:00:00:00:00:02", .src = "02:00:00:00:00:01"} /
               IP{.dst = "198.18.0.1", .src = "10.0.0.1"} / UDP{.dport = 9} / "payload";
    write_pcap(here.file("one.pcap"), p);
    support::simulate([&](simulation& sim) -> asio::awaitable<void> {
        sim.record();
        network net{co_await asio::this_coro::executor};
        tools::replay_rewrite changes;
        changes.addresses = {{ipv4("10.0.0.1"), ipv4("10.9.9.9")}};
        changes.destination = mac("02:00:00:00:00:77");
        tools::replay run(net, here.file("one.pcap"), {.iface = "eth1"}, changes);
        co_await run.run();
        REQUIRE(sim.trace().size() == 1);
        auto sent = dissect(sim.trace()[0].bytes);
        packet const expected = Ether{.dst = "02:00:00:00:00:77", .src = "02:00:00:00:00:01"} /
                                IP{.dst = "198.18.0.1", .src = "10.9.9.9"} / UDP{.dport = 9} / "payload";
        CHECK(sent.build() == expected.build());
    });
}

TEST_CASE("Neighbours are told once each, and a second host with the same address as a duplicate") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.51.100.9");
        network net{co_await asio::this_coro::executor};
        sim.inject(
            Ether{.dst = "02:00:c6:33:64:01", .src = "02:00:00:00:00:99"} / ARP{.pdst = "198.51.100.1",
                                                                                .op = 2,
                                                                                .psrc = "198.51.100.9",
                                                                                .hwsrc = "02:00:00:00:00:99",
                                                                                .hwdst = "02:00:c6:33:64:01"},
            500ms);
        tools::neighbours run(net, address_set("198.51.100.0/28"), {.iface = "eth1"});
        std::set<std::string> found;
        while (auto n = co_await run.next())
            CHECK(found.insert(fmt::format("{} {} {}", n->address, n->hardware, n->duplicate)).second);
        CHECK(found == std::set<std::string>{"198.51.100.2 02:00:c6:33:64:02 false",
                                             "198.51.100.9 02:00:00:00:00:99 true",
                                             "198.51.100.9 02:00:c6:33:64:09 false"});
    });
}

TEST_CASE("Neighbour discovery asks with the interface's own hardware address") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("2001:db8:ffff::77");
        sim.record();
        network net{co_await asio::this_coro::executor};
        tools::neighbours run(net, address_set("2001:db8:ffff::77"), {.iface = "eth1"});
        auto n = co_await run.next();
        REQUIRE(n);
        CHECK(n->address == ip_address(ipv6("2001:db8:ffff::77")));
        auto asked = dissect(sim.trace().at(0).bytes);
        CHECK(asked.get<ICMPv6NDOptSrcLLAddr>().lladdr == "02:00:c6:33:64:01");
    });
}

TEST_CASE("Vendors are read from the files of ieee-data, nmap and Wireshark") {
    directory here;
    std::ofstream(here.file("oui"))
        << "# comment\n00-00-0C   (hex)\t\tCisco Systems, Inc\r\n00000D     (base 16)\n000011\tTek\n"
           "00:00:12\tOther Maker\nabcdefg no\n";
    tools::vendor_table const vendors(here.file("oui"));
    CHECK(vendors.vendor_of("00:00:0c:01:02:03") == "Cisco Systems, Inc");
    CHECK(vendors.vendor_of("00:00:11:01:02:03") == "Tek");
    CHECK(vendors.vendor_of("00:00:12:ff:02:03") == "Other Maker");
    CHECK(vendors.vendor_of("02:00:00:00:00:00").empty());
}

TEST_CASE("A scan that Ctrl-C ends counts what it left unanswered, and tells of each as JSON") {
    // Later and later, until its one answer had come: what begins takes long on a slow machine. Each time
    // twice: timeout(1) signals its group, too.
    auto interrupted = [](std::string_view answered, std::vector<std::string> const& more) {
        for (int tenths = 3;; tenths *= 2) {
            auto after = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
            auto ended = support::run(
                std::vector<std::string>{"timeout", "--preserve-status", "-s", "INT", after,
                                         support::sonde_command(), "sr", "--sim", "--pace", "-t", "20",
                                         "IP(dst=['198.18.0.1', '198.19.248.0/30'])/ICMP()"} +
                    more,
                {});
            if (holds(ended.out, answered) || tenths > 80) return ended;
        }
    };
    auto text = interrupted("got 1 answers", {});
    CHECK(text.status == 130);
    CHECK(holds(text.out, "got 1 answers, remaining 4 packets\n"));
    CHECK(holds(text.out, "<Unanswered: TCP:0 UDP:0 ICMP:4 Other:0>"));
    auto lines = interrupted("\"outcome\":\"answered\"", {"--json"});
    CHECK(lines.status == 130);
    std::size_t cancelled = 0;
    for (auto at = lines.out.find("\"outcome\":\"cancelled\""); at != lines.out.npos;
         at = lines.out.find("\"outcome\":\"cancelled\"", at + 1))
        ++cancelled;
    CHECK(cancelled == 4);
    CHECK(holds(lines.out, "\"answered\":1,\"remaining\":4,"));
}

TEST_CASE("What is drawn over on a terminal has lines that fit on it, and no more than it has rows") {
    // As on a terminal of that size; what it shows at last is printed whole.
    auto shown = support::run({"script", "-qefc",
                               "stty cols 40 rows 4; exec " + support::sonde_command() +
                                   " ping --sim --pace --count 4 --interval 150ms 198.18.0.1 198.18.0.2 "
                                   "198.18.0.3 198.18.0.4 198.18.0.5",
                               "/dev/null"},
                              {});
    auto last = shown.out.rfind("\x1b[J");
    REQUIRE(last != std::string::npos);
    std::istringstream drawn(shown.out.substr(0, last));
    std::size_t longest = 0, rows = 0, most_rows = 0;
    for (std::string line; std::getline(drawn, line); ++rows) {
        if (auto erased = line.find("\x1b[J"); erased != line.npos) {
            most_rows = std::max(most_rows, std::exchange(rows, 0));
            line.erase(0, erased + 3);
        }
        while (!line.empty() && line.back() == '\r') line.pop_back();
        longest = std::max(longest, line.size());
    }
    CHECK(longest > 20);
    CHECK(longest < 40);
    CHECK(most_rows == 3);
    for (auto target : {"198.18.0.1", "198.18.0.5"}) CHECK(holds(shown.out.substr(last), target));
}
