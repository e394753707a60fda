#pragma once

#include <sonde/link/link.hpp>

#include "link/system.hpp"

#include <chrono>
#include <memory>

namespace sonde::inline v0::detail {

/// The waits of one descriptor, with the promises of `link_device::wait_readable`: each wait completes
/// exactly once, on the executor, and with operation_aborted if it was cancelled or this object destroyed
/// before its turn came, so that a handler which sees no error may use the device.
class readiness {
public:
    enum direction { reading, writing };
    using wait_handler = link_device::wait_handler;

    explicit readiness(asio::any_io_executor executor);
    ~readiness();
    readiness(readiness const&) = delete;
    readiness& operator=(readiness const&) = delete;

    /// Takes the descriptor over, and closes it in the end. Once only.
    error_code assign(unique_fd fd);
    int fd() const;
    asio::any_io_executor get_executor() const;

    /// With `at_most`, also completes without an event when that time has passed (0: never). Reading only.
    void wait(direction d, wait_handler handler, std::chrono::milliseconds at_most = {});
    void cancel(direction d);
    /// Completes the pending wait, if there is one, as if its time were up.
    void end_wait(direction d);

private:
    struct state;
    static void arm(std::shared_ptr<state> const& s, direction d, wait_handler handler);
    std::shared_ptr<state> state_;  // shared with nobody for longer than a call; handlers hold it weakly
};

}  // namespace sonde::inline v0::detail
