#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <stdexcept>
#include <thread>

namespace sonde::test {

/// Frames are stamped as they come in, for as long as this lives. The kernel begins with that a moment after
/// a first socket on the host has asked for it, later on busy processors; until then a frame's stamp is when
/// it was read.
class kernel_stamps {
public:
    kernel_stamps() {
        using namespace std::chrono_literals;
        int const on = 1;
        ::setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        sockaddr_in own{
            .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
        socklen_t size = sizeof own;
        ::bind(fd_, reinterpret_cast<sockaddr*>(&own), size);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size);
        for (int tries = 0; tries < 1000; ++tries) {
            ::sendto(fd_, "?", 1, 0, reinterpret_cast<sockaddr*>(&own), size);
            std::this_thread::sleep_for(2ms);
            auto const read = std::chrono::system_clock::now();
            if (stamp_of_next() < read - 1ms) return;
        }
        ::close(fd_);
        throw std::runtime_error("the kernel does not stamp frames");
    }
    ~kernel_stamps() { ::close(fd_); }
    kernel_stamps(kernel_stamps const&) = delete;
    kernel_stamps& operator=(kernel_stamps const&) = delete;

private:
    std::chrono::system_clock::time_point stamp_of_next() const {
        char byte = 0;
        iovec room{&byte, 1};
        alignas(cmsghdr) char control[64];
        msghdr m{};
        m.msg_iov = &room, m.msg_iovlen = 1, m.msg_control = control, m.msg_controllen = sizeof control;
        auto const* c = ::recvmsg(fd_, &m, 0) == 1 ? CMSG_FIRSTHDR(&m) : nullptr;
        if (!c || c->cmsg_type != SCM_TIMESTAMPNS) return std::chrono::system_clock::time_point::max();
        timespec stamp;
        __builtin_memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
        return std::chrono::system_clock::time_point(std::chrono::seconds(stamp.tv_sec) +
                                                     std::chrono::nanoseconds(stamp.tv_nsec));
    }

    int fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

}  // namespace sonde::test
