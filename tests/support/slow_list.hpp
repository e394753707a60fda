#pragma once

#include <sonde/sonde.hpp>

#include <boost/asio/async_result.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace support {

/// An async generator: gives each of these packets after a while. It may be gone by then, as sources may be.
class slow_list {
public:
    slow_list(sonde::simulation& sim, std::vector<sonde::packet> const& packets,
              std::chrono::nanoseconds pause = {})
        : sim_(&sim),
          rest_(std::make_shared<std::deque<sonde::packet>>(packets.begin(), packets.end())),
          pause_(pause) {}

    template <class Token>
    auto next(Token&& token) {
        return boost::asio::async_initiate<Token, void(sonde::error_code, std::optional<sonde::packet>)>(
            [](auto handler, auto* sim, auto rest, auto pause) {
                sim->sleep(pause, [rest, h = std::move(handler)](sonde::error_code) mutable {
                    std::optional<sonde::packet> p;
                    if (!rest->empty()) {
                        p = std::move(rest->front());
                        rest->pop_front();
                    }
                    h(sonde::error_code(), std::move(p));
                });
            },
            token, sim_, rest_, pause_);
    }

private:
    sonde::simulation* sim_;
    std::shared_ptr<std::deque<sonde::packet>> rest_;
    std::chrono::nanoseconds pause_;
};

}  // namespace support
