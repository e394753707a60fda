#include "engine.hpp"

#include <fmt/format.h>

// Ports that are opened ahead of their probes, and ports that fail.
namespace sonde::inline v0::detail {

void engine::open(if_name const& name, error_code& ec) {
    auto index = name.empty() ? default_interface(ec) : interface_index(name, ec);
    if (ec) return;
    auto const* found = system_->interfaces(ec, now()).find(index);
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
    if (!failed && ports_.contains({device->info().index, port_kind::framed}))
        failed = asio::error::already_open, about = device->info().name;
    if (failed) {
        ec = fail(failed, std::move(about));
        return;
    }
    auto bound = device->info().index;
    add_port({bound, port_kind::framed}, std::move(device));
}

/// One device for each interface; on the loopback interface a second one, whose packets take the kernel's own
/// way.
std::shared_ptr<port> engine::open_port(int interface, bool routed, error_code& ec) {
    port_key id{interface, routed ? port_kind::routed : port_kind::framed};
    if (auto found = find_port(id)) return found;
    receive_options how;
    how.buffer = options_.receive_buffer;
    std::string about;
    auto device = options_.xdp && !routed ? system_->open_xdp(interface, how, ec, &about)
                                          : system_->open_device(interface, routed, how, ec, &about);
    if (ec) {
        ec = fail(ec, std::move(about));
        return {};
    }
    return add_port(id, std::move(device));
}

std::shared_ptr<port> engine::find_port(port_key id) const {
    auto found = ports_.find(id);
    return found == ports_.end() ? nullptr : found->second;
}

/// The kernel's ping socket, on the id that the key names, or on any.
std::shared_ptr<port> engine::open_echo(port_key id, error_code& ec) {
    constexpr std::size_t ids_tried = 64;  // each may be some other program's
    std::vector<std::uint16_t> ids;
    if (id.echo_id != 0) ids.push_back(id.echo_id);
    while (id.echo_id == 0 && ids.size() < ids_tried)
        if (auto any = identities_.id(identities_.draw()); any != 0) ids.push_back(any);
    receive_options how;
    how.buffer = options_.receive_buffer;
    std::string about;
    std::uint16_t chosen = 0;
    auto device = system_->open_echo(id.interface, id.kind == port_kind::echo6, ids, how, chosen, ec, &about);
    if (ec) {
        ec = fail(ec, why_ + "; " + about);
        return {};
    }
    auto p = add_port(id, std::move(device));
    p->echo.emplace(identities_, chosen);
    return p;
}

/// What a packet of a layer 3 verb leaves through.
std::shared_ptr<port> engine::port_on(outgoing const& packet, bool chose_source, int interface,
                                      error_code& ec) {
    if (latest_ && latest_->info().index == interface) return latest_;
    auto const* out = system_->interfaces(ec, recent()).find(interface);
    if (!ec && !out) ec = fail(errc::no_such_interface, packet.destination()->to_string());
    if (ec) return {};
    bool const loopback = out->loopback;  // `out` is good until the next question
    auto found = port_for(packet, chose_source, interface, loopback, ec);
    if (found && !found->echo) latest_ = found;
    return found;
}

/// A device of the interface, or, without the privilege for one, the kernel's ping socket, if the packet is
/// one for it.
std::shared_ptr<port> engine::port_for(outgoing const& packet, bool chose_source, int interface,
                                       bool loopback, error_code& ec) {
    constexpr std::size_t most_echo_ports = 64;  // each chosen id takes a socket
    if (auto found = find_port({interface, loopback ? port_kind::routed : port_kind::framed})) return found;
    auto request = as_echo_request(packet);
    bool v6 = packet.destination()->is_v6();
    bool stranger = request && chose_source && !system_->interfaces(ec, recent()).find(*packet.source());
    if (ec) return {};
    if (stranger) request->obstacle = v6 ? "IPv6.src" : "IP.src";
    port_key echo{interface, v6 ? port_kind::echo6 : port_kind::echo4,
                  request ? request->id : std::uint16_t(0)};
    auto found = request && request->obstacle.empty() ? find_port(echo) : nullptr;
    if (found) return found;
    auto opened = open_port(interface, loopback, ec);
    if (ec != errc::permission || !request || options_.xdp) return opened;  // what was asked for, or nothing
    if (request->obstacle.empty() && ports_.size() >= most_echo_ports) request->obstacle = "so many ICMP ids";
    if (!request->obstacle.empty()) {
        ec = fail(ec, fmt::format("{}; the kernel's ping socket does without, but not with {}", why_,
                                  request->obstacle));
        return {};
    }
    ec = {};
    return open_echo(echo, ec);
}

std::shared_ptr<port> engine::add_port(port_key id, std::unique_ptr<link_device> device) {
    auto p = std::make_shared<port>(
        *system_, std::move(device), [this](received_frame const& f) { on_frame(f); },
        [this] { judge_incoming(); },
        [self = weak_from_this(), id](error_code failure) {
            if (auto e = self.lock()) e->port_failed(id, failure);
        });
    p->after_batch = [self = weak_from_this()] {
        if (auto e = self.lock()) e->run_turn();
    };
    ports_.emplace(id, p);
    if (sheds_ || shares_interfaces()) shed();
    read_ports(reading_);
    return p;
}

/// The interface is gone, as a rule: who waits for answers from nowhere else is told, all others wait until
/// their time is over. The next probe opens it anew.
void engine::port_failed(port_key id, error_code ec) {
    auto at = ports_.find(id);
    if (at == ports_.end()) return;
    auto p = std::move(at->second);
    ports_.erase(at), latest_.reset(), latest_way_ = {};
    ec = fail(ec, p->info().name);
    drops_of_closed_ += p->counters().kernel_dropped;
    p->fail(ec);
    read_ports(reading_);  // its place as the loopback interface's reader is the other port's now
    if (ec != errc::no_such_interface) return;
    for (auto const& op : std::vector(operations_.begin(), operations_.end()))
        op->interface_gone(p->info().index, ec);
}

}  // namespace sonde::inline v0::detail
