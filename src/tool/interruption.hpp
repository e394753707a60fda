#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <functional>

namespace sonde::inline v0::tool {

/// Ctrl-C (SIGINT) and SIGTERM, while this lives: the first calls `wish` on the loop, another one ends the
/// process at once. What is being written meanwhile is not cut: a write that waits for its reader goes on
/// waiting, so asio's signal_set is of no use here, whose signals end such writes. One at a time.
class interruption {
public:
    interruption(boost::asio::io_context& loop, std::function<void()> wish);
    ~interruption();
    interruption(interruption const&) = delete;
    interruption& operator=(interruption const&) = delete;

    /// The loop need not wait for signals any more; they are kept off as before.
    void forget();

private:
    boost::asio::posix::stream_descriptor told_;
    std::array<char, 1> byte_{};
};

}  // namespace sonde::inline v0::tool
