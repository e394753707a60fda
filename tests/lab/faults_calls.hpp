#pragma once

#include <functional>
#include <limits>

/// System calls of this process that fail when a test says so: the program defines them itself, in front of
/// the C library's.
namespace faults {

enum class call {
    socket,
    bind,
    setsockopt,
    getsockname,
    ioctl,
    send,
    sendmmsg,
    recvmsg,
    recvmmsg,
    epoll_ctl,
    getrandom,
    write,
    count
};

/// What is to become of one call.
struct fate {
    int error = 0;                                            ///< errno; 0: the call is made
    unsigned at_most = std::numeric_limits<unsigned>::max();  ///< messages of a sendmmsg, octets of a write
};

/// While it lives, each `which` of this process is asked about, as number `nth`, from 1 on. One for each
/// call.
class injection {
public:
    injection(call which, std::function<fate(unsigned nth)> script);
    ~injection();
    injection(injection const&) = delete;
    injection& operator=(injection const&) = delete;

    unsigned calls() const;

private:
    call which_;
};

}  // namespace faults
