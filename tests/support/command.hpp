#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace support {

/// How a command ended and what it printed. `status` is as a shell gives it; 128 + 9 when it ran out of time.
struct command_result {
    int status = 0;
    std::string out, err;
};

/// The path of the `sonde` command under test.
inline std::string sonde_command() {
    char const* path = std::getenv("SONDE_COMMAND");
    return path ? path : "sonde";
}

namespace detail {

/// Appends what is there to `text`; false at end-of-file.
inline bool drain(int fd, std::string& text) {
    std::array<char, 4096> piece{};
    auto size = ::read(fd, piece.data(), piece.size());
    if (size > 0) text.append(piece.data(), static_cast<std::size_t>(size));
    return size > 0;
}

/// Becomes `argv`, found on the PATH.
[[noreturn]] inline void execute(std::vector<std::string> const& argv) {
    std::vector<char*> words;
    for (auto const& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    ::_exit(127);
}

/// For a child: what it prints goes nowhere. (Closed descriptors would be given to the files that it opens.)
inline void be_quiet() {
    int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, 1), ::dup2(nowhere, 2);
}

}  // namespace detail

/// Runs a command with `input` (of at most a pipe's 64 KiB) on its stdin and gives what it printed. `before`
/// runs in the child, just before the command. The command is killed when it takes longer than `limit`.
inline command_result run(
    std::vector<std::string> const& argv, std::string const& input = {},
    std::function<void()> const& before = [] {}, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    int in[2], out[2], err[2];
    if (::pipe2(in, O_CLOEXEC) || ::pipe2(out, O_CLOEXEC) || ::pipe2(err, O_CLOEXEC))
        throw std::runtime_error("pipe");
    pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(in[0], 0);
        ::dup2(out[1], 1);
        ::dup2(err[1], 2);
        before();
        detail::execute(argv);
    }
    for (int fd : {in[0], out[1], err[1]}) ::close(fd);
    if (::write(in[1], input.data(), input.size()) < 0) throw std::runtime_error("write");
    ::close(in[1]);

    command_result result;
    auto const end = std::chrono::steady_clock::now() + limit;
    std::array<pollfd, 2> streams{{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (left.count() <= 0 ||
            ::poll(streams.data(), streams.size(), static_cast<int>(left.count())) == 0) {
            ::kill(pid, SIGKILL);
            break;
        }
        if (streams[0].revents && !detail::drain(out[0], result.out)) streams[0].fd = -1;
        if (streams[1].revents && !detail::drain(err[0], result.err)) streams[1].fd = -1;
    }
    for (int fd : {out[0], err[0]}) ::close(fd);
    int status = 0;
    ::waitpid(pid, &status, 0);
    result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return result;
}

}  // namespace support
