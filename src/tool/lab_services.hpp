#pragma once

#include "tool/lab_netlink.hpp"

#include <vector>

namespace sonde::inline v0::detail {

/// What answers on the target beyond the kernel itself: TCP ports 22, 80 and 443 on every address, which
/// accept and then close in an orderly way, and UDP echo (RFC 862) on port 7, which answers from the address
/// that was asked.
class lab_services {
public:
    /// Opens the sockets in the present network namespace.
    lab_services();
    /// Serves until it is killed; throws std::system_error when it cannot even wait.
    [[noreturn]] void serve();

private:
    void prepare();
    void accept_all(int listener);
    void keep(unique_fd connection);

    std::vector<unique_fd> listeners_, echoes_;
    std::vector<unique_fd> connections_;  ///< a ring: the oldest makes room for the newest
    std::size_t next_ = 0;
    unique_fd poll_;
};

}  // namespace sonde::inline v0::detail
