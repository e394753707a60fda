#pragma once

#include <sonde/link/filter.hpp>

#include <cstddef>
#include <type_traits>

SONDE_NAMESPACE_BEGIN

/// How a device captures. Trivially destructible, so that it may be written inside a `co_await` expression.
struct receive_options {
    /// What to take; null takes everything. Borrowed until the call that it is passed to returns.
    capture_filter const* filter = nullptr;
    /// Also take unicast frames addressed to other hosts.
    bool promiscuous = false;
    /// Bytes kept of each frame, 1 to 262144; `frame::length` tells what was on the wire.
    unsigned snapshot = capture_filter::whole_frame;
    /// Bytes that the kernel may queue, its own bookkeeping included (about 800 bytes for a short frame).
    /// More than net.core.rmem_max needs CAP_NET_ADMIN; without it the kernel quietly grants rmem_max.
    std::size_t buffer = 4 << 20;
    /// Also take what this host sends, marked `frame::outgoing`. On the loopback interface every packet is
    /// seen coming in already, so there it has no effect.
    bool see_outgoing = false;
};

static_assert(std::is_trivially_destructible_v<receive_options>);

SONDE_NAMESPACE_END
