#include "engine.hpp"

// Ports that are opened ahead of their probes, and ports that fail.
namespace sonde::detail {

void engine::open(if_name const& name, error_code& ec) {
    auto index = name.empty() ? default_interface(ec) : interface_index(name, ec);
    if (ec) return;
    auto const* found = system_->interfaces(ec).find(index);
    if (!ec) open_port(index, found && found->loopback, ec);
}

void engine::adopt(int descriptor, if_name const& name, error_code& ec) {
    auto index = interface_index(name, ec);
    receive_options how;
    how.buffer = options_.receive_buffer;
    std::string about;
    // The descriptor is taken over in any case.
    error_code failed;
    auto device = system_->adopt_device(descriptor, index, how, failed, &about);
    if (ec) return;
    if (!failed && device->info().index == 0)
        failed = errc::no_such_interface, about = "a socket that is bound to none needs one";
    if (!failed && ports_.contains(device->info().index))
        failed = asio::error::already_open, about = device->info().name;
    if (failed) {
        ec = fail(failed, std::move(about));
        return;
    }
    auto id = device->info().index;
    add_port(id, std::move(device));
}

/// The interface is gone, as a rule: who waits for answers from nowhere else is told, all others wait until
/// their time is over. The next probe opens it anew.
void engine::port_failed(int id, error_code ec) {
    auto at = ports_.find(id);
    if (at == ports_.end()) return;
    auto p = std::move(at->second);
    ports_.erase(at);
    note(p->info().name);
    drops_of_closed_ += p->counters().kernel_dropped;
    p->fail(ec);
    read_ports(reading_);  // its place as the loopback interface's reader is the other port's now
    if (ec != errc::no_such_interface) return;
    for (auto const& op : std::vector(operations_.begin(), operations_.end()))
        op->interface_gone(p->info().index, ec);
}

}  // namespace sonde::detail
