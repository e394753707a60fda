#pragma once

#include <sonde/detail/namespace.hpp>

#include <memory>

SONDE_NAMESPACE_BEGIN

namespace detail {
/// What a platform did to keep resets back; its end undoes it.
class held_resets {
public:
    virtual ~held_resets() = default;
};
}  // namespace detail

/// Keeps the host's own TCP from resetting half-open probes, for as long as it lives: see
/// `network::guard_resets`.
///
/// Threads: one at a time. Lifetimes: independent of its network's.
class reset_guard {
public:
    reset_guard() = default;  ///< holds nothing back
    /// What `network::guard_resets` makes; null holds nothing back.
    explicit reset_guard(std::unique_ptr<detail::held_resets> held) : held_(std::move(held)) {}

    /// The host resets again, from when this returns. Cost: some milliseconds, as the kernel waits for
    /// packets that pass the rule.
    void release() noexcept { held_.reset(); }
    /// True until `release`, of a guard that holds something back.
    bool holds() const noexcept { return held_ != nullptr; }

private:
    std::unique_ptr<detail::held_resets> held_;
};

SONDE_NAMESPACE_END
