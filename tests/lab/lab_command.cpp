// `sonde lab` seen from outside: what becomes of a command's status, files, signals and children.

#include "support/catch.hpp"
#include "support/command.hpp"

#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fs = std::filesystem;
using support::command_result;
using support::run;
using support::sonde_command;
using namespace std::chrono_literals;

namespace {

/// `sonde lab -- sh -c SCRIPT`.
std::vector<std::string> lab(std::string const& script) {
    return {sonde_command(), "lab", "--", "sh", "-c", script};
}

/// Waits until `done` or five seconds have passed.
bool eventually(std::function<bool()> const& done) {
    auto const end = std::chrono::steady_clock::now() + 5s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        ::poll(nullptr, 0, 10);
    }
    return true;
}

/// How many processes have `word` among their arguments.
int processes_with(std::string const& word) {
    int count = 0;
    for (auto const& entry : fs::directory_iterator("/proc")) {
        std::ifstream file(entry.path() / "cmdline");
        std::stringstream text;
        text << file.rdbuf();
        count += text.str().find(word) != std::string::npos;
    }
    return count;
}

/// A word that no other process has among its arguments.
std::string unique_word() {
    return "sonde-test-" + std::to_string(::getpid()) + "-" + std::to_string(::rand());
}

/// A child that runs until it is told otherwise, and what it prints: on a terminal of its own, or into a
/// pipe.
struct running {
    pid_t pid = 0;
    int output = -1;
    std::string text;

    enum where { terminal, pipe };
    running(std::vector<std::string> const& argv, where to) {
        std::array<int, 2> ends{};
        if (to == pipe) REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        pid = to == terminal ? ::forkpty(&output, nullptr, nullptr, nullptr) : ::fork();
        if (pid == 0) {
            if (to == pipe) ::dup2(ends[1], 1);
            support::detail::execute(argv);
        }
        if (to == terminal) return;
        output = ends[0];
        ::close(ends[1]);
    }
    running(running const&) = delete;
    running& operator=(running const&) = delete;
    ~running() {
        ::close(output);
        if (pid <= 0) return;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }

    /// True once `wanted` has been printed.
    bool shows(std::string const& wanted) {
        return eventually([&] {
            pollfd state{output, POLLIN, 0};
            if (::poll(&state, 1, 0) > 0) support::detail::drain(output, text);
            return text.find(wanted) != std::string::npos;
        });
    }
    /// Its exit status within five seconds, or -1.
    int status() {
        int status = 0;
        if (!eventually([&] { return ::waitpid(pid, &status, WNOHANG) == pid; })) return -1;
        pid = 0;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
};

/// From here on, this process and what it starts cannot make namespaces: what many containers do.
void forbid_unshare() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter{std::size(program), program};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

constexpr unsigned nobody = 65534;

/// Gives up root, if this is root.
void become_nobody() {
    if (::geteuid() != 0) return;
    if (::setgroups(0, nullptr) || ::setgid(nobody) || ::setuid(nobody)) ::_exit(125);
}

/// The command under test where everyone may run it, wherever the build tree is.
struct public_copy {
    fs::path directory;
    public_copy() {
        std::string name = (fs::temp_directory_path() / "sonde-XXXXXX").string();
        directory = ::mkdtemp(name.data());
        fs::copy_file(sonde_command(), path());
        fs::permissions(directory, fs::perms(0755));
    }
    ~public_copy() { fs::remove_all(directory); }
    std::string path() const { return (directory / "sonde").string(); }
};

}  // namespace

TEST_CASE("a command's exit status is the lab's", "[lab]") {
    auto [script, status] =
        GENERATE(table<char const*, int>({{"exit 0", 0}, {"exit 42", 42}, {"exit 255", 255}}));
    CHECK(run(lab(script)).status == status);
}

TEST_CASE("a killed command gives 128 plus the signal", "[lab]") {
    CHECK(run(lab("kill -TERM $$")).status == 128 + SIGTERM);
    CHECK(run(lab("kill -SEGV $$")).status == 128 + SIGSEGV);
}

TEST_CASE("a command that cannot be run is named, as a shell would", "[lab]") {
    auto missing = run({sonde_command(), "lab", "--", "/no/such/command"});
    CHECK(missing.status == 127);
    CHECK(missing.err == "sonde lab: cannot run /no/such/command: No such file or directory\n");
    CHECK(run({sonde_command(), "lab", "--", "/"}).status == 126);
}

TEST_CASE("input, output and errors pass through untouched", "[lab]") {
    auto result = run(lab("cat; echo to stderr >&2"), "one\ntwo");
    CHECK(result.out == "one\ntwo");
    CHECK(result.err == "to stderr\n");
}

TEST_CASE("a command inherits the files it would have had, and nothing of the lab's own", "[lab]") {
    std::vector<std::string> list{"ls", "/proc/self/fd"};
    auto outside = run(list).out;
    list.insert(list.begin(), {sonde_command(), "lab", "--"});
    CHECK(run(list).out == outside);
}

TEST_CASE("a command finds SONDE_LAB set and sonde on its PATH", "[lab]") {
    CHECK(run(lab("echo $SONDE_LAB")).out == "1\n");
    CHECK(run(lab("command -v sonde")).out == fs::canonical(sonde_command()).string() + "\n");
}

TEST_CASE("a command sees its own network and processes only", "[lab]") {
    CHECK(run(lab("ls /sys/class/net | tr '\\n' ' '")).out == "eth1 lo ");
    CHECK(run(lab("echo $$")).out.size() <= 3);
}

TEST_CASE("the interface is up, with its addresses and no offloads, before the command starts", "[lab]") {
    CHECK(run(lab("cat /sys/class/net/eth1/operstate /sys/class/net/eth1/address")).out ==
          "up\n02:00:c6:33:64:01\n");
    CHECK(run(lab("grep -c 20010db8ffff00000000000000000001 /proc/net/if_inet6")).out == "1\n");
}

TEST_CASE("names that a command gives network namespaces go with its lab", "[lab]") {
    auto const script =
        "ip netns add inside && ip netns exec inside ip link show lo > /dev/null && ls /run/netns";
    for (int n = 0; n < 2; ++n) {
        auto r = run(lab(script));
        CHECK(r.status == 0);
        CHECK(r.out == "inside\n");
    }
    CHECK(!fs::exists("/run/netns/inside"));
}

TEST_CASE("a lab runs inside a lab", "[lab]") {
    CHECK(run({sonde_command(), "lab", "--", sonde_command(), "lab", "--", "sh", "-c", "exit 7"}).status ==
          7);
}

TEST_CASE("an ordinary user gets a lab, and is root in it", "[lab]") {
    public_copy sonde;
    auto result =
        run({sonde.path(), "lab", "--", "sh", "-c", "id -u; cat /proc/self/uid_map; ls /sys/class/net"}, {},
            become_nobody);
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(result.out.starts_with("0\n"));
    CHECK(result.out.ends_with("eth1\nlo\n"));
    std::istringstream map(result.out.substr(2));
    unsigned inside = 1, outside = 0;
    map >> inside >> outside;
    CHECK(inside == 0);
    CHECK(outside == (::geteuid() == 0 ? nobody : ::geteuid()));
}

TEST_CASE("a program with file capabilities can still make its lab", "[lab]") {
    public_copy sonde;
    if (::geteuid() != 0 || run({"setcap", "cap_net_raw+ep", sonde.path()}).status != 0) return;
    auto result = run({sonde.path(), "lab", "--", "true"}, {}, become_nobody);
    CHECK(result.err.empty());
    CHECK(result.status == 0);
}

TEST_CASE("forbidden namespaces end with status 3 and a way to go on", "[lab]") {
    auto result = run(lab("echo never"), {}, [] {
        become_nobody();
        forbid_unshare();
    });
    CHECK(result.status == 3);
    CHECK(result.out.empty());
    CHECK(result.err.find("cannot make the lab: make a user namespace: Operation not permitted") !=
          std::string::npos);
    CHECK(result.err.find("sudo sonde lab -- COMMAND") != std::string::npos);
}

TEST_CASE("switched-off user namespaces are told with the sysctl that allows them", "[lab]") {
    auto script =
        "echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-sys_admin "
        "--inh-caps=-sys_admin " +
        sonde_command() + " lab -- true";
    auto result = run({"unshare", "-r", "sh", "-c", script});
    INFO(result.err);
    CHECK(result.status == 3);
    CHECK(result.err.find("sudo sysctl user.max_user_namespaces=10000") != std::string::npos);
}

TEST_CASE("Ctrl-C reaches the command, whose answer to it counts", "[lab]") {
    running shell(lab("trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done"),
                  running::terminal);
    REQUIRE(shell.shows("ready"));
    REQUIRE(::write(shell.output, "\x03", 1) == 1);
    CHECK(shell.shows("caught"));
    CHECK(shell.status() == 9);
    CHECK(shell.text.find("caught") == shell.text.rfind("caught"));
}

TEST_CASE("a signal sent to sonde lab is passed on to the command", "[lab]") {
    running shell(lab("trap 'exit 11' TERM; echo ready; while :; do sleep 0.05; done"), running::pipe);
    REQUIRE(shell.shows("ready"));
    ::kill(shell.pid, SIGTERM);
    CHECK(shell.status() == 11);
}

TEST_CASE("a command started with SIGINT blocked and SIGCHLD ignored runs as ever", "[lab]") {
    auto hostile = [] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        ::sigprocmask(SIG_BLOCK, &set, nullptr);
        ::signal(SIGCHLD, SIG_IGN);
    };
    auto result = run({sonde_command(), "lab", "--", "grep", "SigBlk", "/proc/self/status"}, {}, hostile);
    CHECK(result.out == "SigBlk:\t0000000000000002\n");
    CHECK(result.status == 0);
}

TEST_CASE("nothing is left over when the command ends", "[lab]") {
    auto word = unique_word();
    auto result = run(lab("sleep 100 & setsid sh -c 'sleep 100; true " + word + "' & exit 3"));
    CHECK(result.status == 3);
    CHECK(eventually([&] { return processes_with(word) == 0; }));
}

TEST_CASE("nothing is left over when sonde lab itself is killed", "[lab]") {
    auto word = unique_word();
    running shell(lab("echo ready; while :; do sleep 0.05; done; " + word), running::pipe);
    REQUIRE(shell.shows("ready"));
    CHECK(processes_with(word) >= 4);  // sonde lab, its init, its services, the shell
    ::kill(shell.pid, SIGKILL);
    CHECK(shell.status() == 128 + SIGKILL);
    CHECK(eventually([&] { return processes_with(word) == 0; }));
}

TEST_CASE("help goes to stdout, and wrong usage to stderr with status 2", "[lab]") {
    auto help = run({sonde_command(), "lab", "--help"});
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    for (auto text :
         {"198.18.0.0/15", "2001:db8::/32", "198.19.248.0/24", "2001:db8:dead::/48", "22, 80 and 443"})
        CHECK(help.out.find(text) != std::string::npos);
    auto none = run({sonde_command(), "lab"});
    CHECK(none.status == 2);
    CHECK(none.out.empty());
    CHECK(none.err.find("no command") != std::string::npos);
    CHECK(run({sonde_command(), "lab", "--"}).status == 2);
    CHECK(run({sonde_command(), "lab", "--frobnicate"}).status == 2);
}

TEST_CASE("a lab is there in a moment, beside what any start of the program takes", "[lab]") {
    using seconds = std::chrono::duration<double>;
    auto shortest = [](std::vector<std::string> const& command) {
        auto least = seconds::max();
        for (int i = 0; i < 5; ++i) {
            auto start = std::chrono::steady_clock::now();
            CHECK(run(command).status == 0);
            least = std::min<seconds>(least, std::chrono::steady_clock::now() - start);
        }
        return least;
    };
    auto start = shortest({sonde_command(), "--version"});
    auto whole = shortest(lab("true"));
    INFO("start " << start.count() << " s, lab " << whole.count() << " s");
    CHECK(whole - start < 300ms);
}
