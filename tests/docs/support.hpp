#pragma once

#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace docs {

/// Runs a page's code on a network that stands on the simulated lab.
inline void in_the_lab(
    std::function<boost::asio::awaitable<void>(sonde::simulation&, sonde::network&)> body) {
    support::simulate([&](sonde::simulation& sim) -> boost::asio::awaitable<void> {
        sim.add_lab();
        sonde::network net{co_await boost::asio::this_coro::executor};
        co_await body(sim, net);
    });
}

/// A name for a file of this test run.
std::string temporary(std::string_view name);

}  // namespace docs
