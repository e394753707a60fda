#include "link/simulated_links.hpp"

#include "link/simulated_device.hpp"

#include <algorithm>

namespace sonde::inline v0::detail {

void simulated_links::add(link_info info) {
    auto index = info.index;
    interfaces_.insert_or_assign(index, std::move(info));
}

link_info const* simulated_links::find(int interface) const {
    auto found = interfaces_.find(interface);
    return found == interfaces_.end() ? nullptr : &found->second;
}

void simulated_links::set_up(int interface, bool up) {
    auto found = interfaces_.find(interface);
    if (found == interfaces_.end() || std::exchange(found->second.up, up) == up || up) return;
    for (auto* d : devices_)
        if (d->looks_at(interface)) d->went_down();
}

void simulated_links::remove(int interface) {
    interfaces_.erase(interface);
    for (auto* d : devices_)
        if (d->looks_at(interface)) d->was_removed();
}

std::unique_ptr<link_device> simulated_links::open(asio::any_io_executor executor, int interface, bool routed,
                                                   receive_options const& how, error_code& ec,
                                                   std::string* why) {
    ec = {};
    link_info info;
    if (interface != 0) {
        auto const* found = find(interface);
        if (!found) {
            ec = errc::no_such_interface;
            if (why) *why = "simulated interface " + std::to_string(interface);
            return {};
        }
        info = *found;
    }
    if (routed) info.type = link_type::raw;
    return std::make_unique<simulated_device>(*this, std::move(executor), std::move(info), routed, how);
}

bool simulated_links::is_watched(int interface) const {
    return std::ranges::any_of(devices_, [&](auto const* d) { return d->looks_at(interface); });
}

void simulated_links::arrive(frame const& f, simulated_device const* from) {
    for (auto* d : devices_)
        if (d != from && d->looks_at(f.interface)) d->arrived(f);
}

}  // namespace sonde::inline v0::detail
