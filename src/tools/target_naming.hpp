#pragma once

#include <sonde/packet/address_set.hpp>
#include <sonde/packet/packet.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <vector>

// How the targets of the tools were named (docs/design/targets.md).
namespace sonde::inline v0::tools {

/// What an event loop's tools know of how their targets were named.
///
/// `ping`, `traceroute` and `scan` take addresses, which do not tell whether somebody wrote them as they are:
/// those of a program count as written, and the command says here which ones came out of a network, a range
/// or a host name. Their probes tell the engine, which decides about them as about any other packet. An
/// address that was written too is written.
///
/// Found by its type, as Asio does it: a shared library and the command have an id of their own each.
class target_naming final : public boost::asio::detail::execution_context_service_base<target_naming> {
public:
    explicit target_naming(boost::asio::execution_context& context)
        : boost::asio::detail::execution_context_service_base<target_naming>(context) {}

    /// The event loop's own, made where there is none yet.
    static target_naming& of(boost::asio::any_io_executor const& executor) {
        return boost::asio::use_service<target_naming>(context_of(executor));
    }
    /// nullptr when nobody said anything.
    static target_naming const* find(boost::asio::any_io_executor const& executor) {
        auto& context = context_of(executor);
        if (!boost::asio::has_service<target_naming>(context)) return nullptr;
        return &boost::asio::use_service<target_naming>(context);
    }

    /// Somebody wrote these as they are.
    void add_written(std::vector<ip_address> const& addresses);
    /// A network or a range: from its first address to its last.
    void add_drawn(ip_address const& first, ip_address const& last);
    /// A resolver gave these.
    void add_looked_up(std::vector<ip_address> const& addresses);

    /// The probe, whose first layer is IP or IPv6, with what is known of its destination.
    packet named(packet probe) const;

private:
    using interval = std::pair<ip_address, ip_address>;

    static boost::asio::execution_context& context_of(boost::asio::any_io_executor const& executor) {
        return boost::asio::query(executor, boost::asio::execution::context);
    }
    void shutdown() override {}
    bool is_drawn(ip_address const& a) const;

    std::vector<ip_address> written_, looked_up_;  // sorted
    std::vector<interval> drawn_;                  // sorted, disjoint
};

/// As `named`; where nobody said anything, the probe as it is.
inline packet named(target_naming const* naming, packet probe) {
    return naming ? naming->named(std::move(probe)) : probe;
}

}  // namespace sonde::inline v0::tools
