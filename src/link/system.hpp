#pragma once

#include <sonde/error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

// What the devices share: descriptors that close themselves, and errors with a text.
namespace sonde::inline v0::detail {

/// An errno of a link as the error that users meet. What has no better name keeps the system's.
inline error_code link_error(int number) noexcept {
    switch (number) {
        case EPERM:
        case EACCES: return errc::permission;
        case ENODEV:
        case ENXIO: return errc::no_such_interface;
        case ENETDOWN: return errc::interface_down;
        case EMSGSIZE: return errc::message_too_long;
        default: return {number, boost::system::system_category()};
    }
}

/// A failure on its way to the caller: the code, and a text that names the interface and the step.
struct failure {
    error_code code;
    std::string why;
};

/// The last system call's failure.
inline failure system_failure(std::string const& place, char const* step) {
    return {link_error(errno), place + ": " + step};
}

/// As `sonde::error` where the code is ours, as system_error where it is the system's.
[[noreturn]] inline void throw_failure(failure const& f) {
    if (f.code.category() == sonde_category()) throw error(static_cast<errc>(f.code.value()), f.why);
    throw boost::system::system_error(f.code, f.why);
}

/// Puts a failure where the non-throwing forms report it.
inline void report_failure(failure&& f, error_code& ec, std::string* why) {
    ec = f.code;
    if (why) *why = std::move(f.why);
}

/// The throwing form of a factory, from `open(error_code&, std::string* why)`, which returns a pointer.
template <class Open>
auto or_throw(Open open) {
    failure f;
    auto opened = open(f.code, &f.why);
    if (!opened) throw_failure(f);
    return opened;
}

/// A file descriptor that closes itself.
class unique_fd {
public:
    explicit unique_fd(int fd = -1) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~unique_fd() {
        if (fd_ >= 0) ::close(fd_);
    }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

    /// A second descriptor of the same file, close-on-exec; empty with errno set when there is none left.
    unique_fd duplicate() const noexcept { return unique_fd(::fcntl(fd_, F_DUPFD_CLOEXEC, 0)); }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

}  // namespace sonde::inline v0::detail
