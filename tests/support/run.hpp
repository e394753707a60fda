#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>

namespace support {

/// Runs a coroutine on an event loop of its own until the loop has nothing left to do; a minute at most.
inline void run(std::function<boost::asio::awaitable<void>()> body) {
    boost::asio::io_context loop(1);
    std::exception_ptr failure;
    bool done = false;
    boost::asio::co_spawn(loop, body(), [&](std::exception_ptr e) {
        failure = e;
        done = true;
    });
    loop.run_for(std::chrono::minutes(1));
    if (failure) std::rethrow_exception(failure);
    if (!done) throw std::runtime_error("the coroutine did not end within a minute");
    if (!loop.stopped()) throw std::runtime_error("something keeps the loop alive");
}

}  // namespace support
