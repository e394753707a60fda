#include "tool/lab_process.hpp"

#include "tool/lab_netlink.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <system_error>

namespace sonde::inline v0::detail {
namespace {

[[noreturn]] void fail(std::string const& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void write_file(char const* path, std::string const& text) {
    unique_fd fd(::open(path, O_WRONLY | O_CLOEXEC));
    if (fd.get() < 0 || ::write(fd.get(), text.data(), text.size()) < 0) fail(std::string("write ") + path);
}

/// Whether this process may make and set up namespaces as it is.
bool may_make_namespaces() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
    constexpr unsigned needed = 1U << CAP_SYS_ADMIN | 1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW;
    return (sets[0].effective & needed) == needed;
}

/// Becomes root of a user namespace that holds nobody else.
void enter_user_namespace() {
    auto uid = std::to_string(::geteuid()), gid = std::to_string(::getegid());
    ::prctl(PR_SET_DUMPABLE, 1);  // with file capabilities it is off, and then root owns /proc/self/uid_map
    if (::unshare(CLONE_NEWUSER) != 0) fail("make a user namespace");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + uid + " 1");
    write_file("/proc/self/gid_map", "0 " + gid + " 1");
}

/// What `supervise` waits for: the end of a child, and signals that are meant for the command.
sigset_t supervised_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : {SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM})
        sigaddset(&set, signal);
    return set;
}

/// Waits for `child`, buries all others, and passes signals on. What a terminal sends (Ctrl-C) has reached
/// the whole process group, the command included, and is not passed on. Gives the exit status as a shell
/// does.
int supervise(pid_t child) {
    auto const set = supervised_signals();
    while (true) {
        siginfo_t info{};
        int signal = ::sigwaitinfo(&set, &info);
        if (signal < 0) continue;  // interrupted by a stop and continue
        if (signal != SIGCHLD) {
            if (info.si_code <= 0) ::kill(child, signal);  // from a process, not from the kernel
            continue;
        }
        int status = 0;
        for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            if (pid != child) continue;
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
    }
}

/// Forks; nothing buffered is written twice.
pid_t fork_process() {
    std::fflush(nullptr);
    pid_t pid = ::fork();
    if (pid < 0) fail("start a process");
    return pid;
}

/// Has the kernel kill this process when its parent ends. `parent` reads end-of-file if that has already
/// happened.
void die_with_parent(unique_fd const& parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    pollfd state{parent.get(), 0, 0};
    if (::poll(&state, 1, 0) > 0) ::_exit(3);
}

/// Leaves the process group, in which the command stays: a signal to the group reaches the command once, and
/// nobody else who would pass it on to the command again.
void leave_group() {
    ::setpgid(0, 0);
}

/// Runs `work` in a child that lives no longer than this process, and gives its result. `apart` is called
/// here, once the child is there.
int run_child(
    std::function<int(std::system_error const&)> const& refused, std::function<int()> const& work,
    void (*apart)() = [] {}) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("make a pipe");
    unique_fd parent(ends[0]), mine(ends[1]);
    pid_t pid = fork_process();
    if (pid != 0) {
        apart();
        return supervise(pid);
    }
    mine = unique_fd();
    die_with_parent(parent);
    int status = 0;
    try {
        status = work();
    } catch (std::system_error const& e) {
        status = refused(e);
    }
    std::fflush(nullptr);
    ::_exit(status);
}

[[noreturn]] void execute(std::vector<std::string> const& argv) {
    std::vector<char*> words;
    words.reserve(argv.size() + 1);
    for (auto const& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    int code = errno;
    std::fprintf(stderr, "sonde lab: cannot run %s: %s\n", words[0], std::strerror(code));
    ::_exit(code == ENOENT ? 127 : 126);
}

}  // namespace

int run_as_init(std::function<int(sigset_t const&)> const& inside,
                std::function<int(std::system_error const&)> const& refused) {
    ::signal(SIGCHLD, SIG_DFL);  // if it came to us ignored, no child could be waited for
    auto const set = supervised_signals();
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, &set, &before);
    // A process namespace begins with the next child of who makes it, and who has made one can start no other
    // process when that child has ended: so it is made by a process between us and the first one.
    int status = run_child(refused, [&] {
        if (!may_make_namespaces()) enter_user_namespace();
        if (::unshare(CLONE_NEWPID) != 0) fail("make a process namespace");
        return run_child(refused, [&] { return inside(before); }, leave_group);
    });
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return status;
}

void start_helper(char const* name, std::function<void()> const& work) {
    if (fork_process() != 0) return;
    ::setsid();
    ::prctl(PR_SET_NAME, name);
    unique_fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    ::dup2(null.get(), STDIN_FILENO);
    ::dup2(null.get(), STDOUT_FILENO);
    try {
        work();
    } catch (std::exception const& e) {
        std::fprintf(stderr, "%s: %s\n", name, e.what());
    }
    ::_exit(3);
}

int run_command(std::vector<std::string> const& argv, sigset_t const& mask) {
    pid_t pid = fork_process();
    if (pid == 0) {
        ::sigprocmask(SIG_SETMASK, &mask, nullptr);
        execute(argv);
    }
    leave_group();
    return supervise(pid);
}

void mount_proc() {
    if (::unshare(CLONE_NEWNS) != 0) fail("make a mount namespace");
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("make mounts private");
    ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
    // Names that `ip netns` gives stay here, too.
    constexpr auto names = "/run/netns";
    ::mkdir(names, 0755);
    ::mount("tmpfs", names, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755");
}

void mount_sys() {
    ::mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
}

void mount_resolver() {
    char path[] = "/tmp/sonde-lab-resolv.conf-XXXXXX";
    unique_fd file(::mkostemp(path, O_CLOEXEC));
    if (file.get() < 0) return;
    std::string_view const text = "nameserver 198.18.0.53\noptions timeout:1 attempts:1\n";
    bool written = ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (written && ::fchmod(file.get(), 0644) == 0)
        ::mount(path, "/etc/resolv.conf", nullptr, MS_BIND, nullptr);
    ::unlink(path);  // the mount keeps it
}

}  // namespace sonde::inline v0::detail
