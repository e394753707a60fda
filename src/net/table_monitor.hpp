#pragma once

#include <sonde/net/kernel_tables.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace sonde::inline v0::detail {

/// A subscription to rtnetlink's notifications of links, addresses, routes, rules, nexthops and neighbours.
/// What has come can be read at any time with `poll`; between `start` and `stop` it is also told.
class table_monitor {
public:
    using callback = std::function<void(table_changes)>;

    /// `netns`: whose tables, as for open_netlink.
    explicit table_monitor(boost::asio::any_io_executor executor, int netns = -1);
    ~table_monitor();
    table_monitor(table_monitor const&) = delete;
    table_monitor& operator=(table_monitor const&) = delete;

    /// Subscribes; does nothing when that is done. What happens after it returns is told.
    /// Errors: the system's (EMFILE, EPERM in sandboxes).
    error_code open();
    bool is_open() const;

    /// Reads everything that has come, without waiting.
    table_changes poll();

    /// Calls `changed`, on the executor, with what comes from now on. Needs an open monitor. Keeps one wait
    /// pending.
    void start(callback changed);
    void stop() noexcept;

private:
    struct subscription;
    int netns_;
    std::shared_ptr<subscription> subscription_;  // shared with the pending wait
};

}  // namespace sonde::inline v0::detail
