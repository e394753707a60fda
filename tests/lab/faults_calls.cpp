#include "faults_calls.hpp"

#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <stdexcept>
#include <utility>

namespace faults {
namespace {

struct watch {
    std::function<fate(unsigned)> script;
    unsigned calls = 0;
    bool asking = false;  // what the script itself calls is not counted
};

std::array<watch*, std::size_t(call::count) + 1> watches{};  // no constructor: calls come before main

fate ask(call which) {
    auto* w = watches[std::size_t(which)];
    if (!w || w->asking) return {};
    w->asking = true;
    auto f = w->script(++w->calls);
    w->asking = false;
    return f;
}

bool fails(call which) {
    auto f = ask(which);
    if (f.error != 0) errno = f.error;
    return f.error != 0;
}

template <class Function>
Function* next(Function*, char const* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

injection::injection(call which, std::function<fate(unsigned)> script) : which_(which) {
    auto& at = watches[std::size_t(which)];
    if (at) throw std::logic_error("this call is watched already");
    at = new watch{std::move(script)};
}

injection::~injection() {
    delete std::exchange(watches[std::size_t(which_)], nullptr);
}

unsigned injection::calls() const {
    return watches[std::size_t(which_)]->calls;
}

}  // namespace faults

using faults::call;
using faults::fails;
using faults::next;

// The C library's own declarations, exception specifications included.
extern "C" {

int socket(int domain, int type, int protocol) noexcept {
    static auto* const real = next(&::socket, "socket");
    return fails(call::socket) ? -1 : real(domain, type, protocol);
}

int bind(int fd, sockaddr const* address, socklen_t size) noexcept {
    static auto* const real = next(&::bind, "bind");
    return fails(call::bind) ? -1 : real(fd, address, size);
}

int setsockopt(int fd, int level, int name, void const* value, socklen_t size) noexcept {
    static auto* const real = next(&::setsockopt, "setsockopt");
    return fails(call::setsockopt) ? -1 : real(fd, level, name, value, size);
}

int getsockname(int fd, sockaddr* address, socklen_t* size) noexcept {
    static auto* const real = next(&::getsockname, "getsockname");
    return fails(call::getsockname) ? -1 : real(fd, address, size);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
    static auto* const real = next(&::ioctl, "ioctl");
    std::va_list rest;
    va_start(rest, request);
    auto* argument = va_arg(rest, void*);
    va_end(rest);
    return fails(call::ioctl) ? -1 : real(fd, request, argument);
}

ssize_t send(int fd, void const* data, std::size_t size, int flags) {
    static auto* const real = next(&::send, "send");
    return fails(call::send) ? -1 : real(fd, data, size, flags);
}

int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
    static auto* const real = next(&::sendmmsg, "sendmmsg");
    auto f = faults::ask(call::sendmmsg);
    if (f.error != 0) return errno = f.error, -1;
    return real(fd, messages, std::min(count, f.at_most), flags);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
    static auto* const real = next(&::recvmsg, "recvmsg");
    return fails(call::recvmsg) ? -1 : real(fd, message, flags);
}

int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
    static auto* const real = next(&::recvmmsg, "recvmmsg");
    return fails(call::recvmmsg) ? -1 : real(fd, messages, count, flags, timeout);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
    static auto* const real = next(&::epoll_ctl, "epoll_ctl");
    return fails(call::epoll_ctl) ? -1 : real(epoll, operation, fd, event);
}

ssize_t getrandom(void* data, std::size_t size, unsigned flags) {
    static auto* const real = next(&::getrandom, "getrandom");
    return fails(call::getrandom) ? -1 : real(data, size, flags);
}

ssize_t write(int fd, void const* data, std::size_t size) {
    static auto* const real = next(&::write, "write");
    auto f = faults::ask(call::write);
    if (f.error != 0) return errno = f.error, -1;
    return real(fd, data, std::min<std::size_t>(size, f.at_most));
}
}
