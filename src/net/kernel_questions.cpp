#include "net/kernel_questions.hpp"

#include "net/rtnetlink.hpp"

#include <algorithm>
#include <cerrno>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t max_dump = std::size_t{64} << 20;  // 50,000 interfaces, or 700,000 neighbours

bool is_system(error_code const& ec, int number) {
    return ec == error_code(number, boost::system::system_category());
}

/// A kernel without IPv6, policy rules or labels refuses the question: then there are none.
bool means_none(error_code const& ec) {
    return is_system(ec, EOPNOTSUPP) || is_system(ec, EAFNOSUPPORT) || is_system(ec, ENOENT);
}

class reader {
public:
    reader(netlink_socket& socket, std::size_t max_route_bytes, table_contents& found)
        : socket_(socket), max_route_bytes_(max_route_bytes), found_(found) {}

    error_code read() {
        if (auto ec = interfaces()) return ec;
        if (auto ec = labels()) return ec;
        if (auto ec = rules(false, found_.standard_rules_v4)) return ec;
        if (auto ec = rules(true, found_.standard_rules_v6)) return ec;
        if (auto ec = routes(false, found_.standard_rules_v4)) return ec;
        return routes(true, found_.standard_rules_v6);
    }

private:
    error_code interfaces() {
        if (auto ec = socket_.dump(links_request(), dump_, max_dump)) return ec;
        for_each([&](netlink_message const& m) {
            if (auto link = read_link(m)) found_.interfaces.push_back(std::move(*link));
        });
        std::sort(found_.interfaces.begin(), found_.interfaces.end(),
                  [](auto const& a, auto const& b) { return a.index < b.index; });
        if (auto ec = socket_.dump(addresses_request(), dump_, max_dump)) return ec;
        for_each([&](netlink_message const& m) {
            if (auto own = read_address(m)) give(*own);
        });
        return {};
    }

    void give(owned_address const& own) {
        auto i = std::lower_bound(found_.interfaces.begin(), found_.interfaces.end(), own.interface,
                                  [](kernel_interface const& a, int index) { return a.index < index; });
        if (i != found_.interfaces.end() && i->index == own.interface) i->addresses.push_back(own.address);
    }

    error_code labels() {
        auto ec = socket_.dump(address_labels_request(), dump_, max_dump);
        if (ec) return means_none(ec) ? error_code() : ec;
        for_each([&](netlink_message const& m) {
            if (auto row = read_address_label(m)) found_.labels.push_back(*row);
        });
        return {};
    }

    error_code rules(bool v6, bool& standard) {
        auto ec = socket_.dump(rules_request(v6), dump_, max_dump);
        if (ec) return means_none(ec) ? error_code() : ec;
        standard = are_standard_rules(dump_, v6);
        return {};
    }

    error_code routes(bool v6, bool& standard) {
        if (!standard) return {};  // nobody will look
        auto ec = socket_.dump(routes_request(v6), dump_, max_route_bytes_);
        if (is_system(ec, EOVERFLOW)) {
            standard = false;
            return {};
        }
        if (ec) return means_none(ec) ? error_code() : ec;
        for_each([&](netlink_message const& m) {
            auto e = read_route(m);
            // A kernel without IPv6 answers with the routes of all other families.
            if (e && e->prefix.is_v6() == v6) found_.routes.push_back(*e);
        });
        return {};
    }

    template <class F>
    void for_each(F take) {
        message_cursor messages(dump_);
        while (auto m = messages.next()) take(*m);
    }

    netlink_socket& socket_;
    std::size_t max_route_bytes_;
    table_contents& found_;
    std::vector<std::byte> dump_;
};

std::optional<mac> find_in_dump(netlink_socket& socket, int interface, ip_address const& address,
                                error_code& ec) {
    std::vector<std::byte> dump;
    if ((ec = socket.dump(neighbours_request(interface, address.is_v6()), dump, max_dump))) return {};
    message_cursor messages(dump);
    while (auto m = messages.next()) {
        auto n = read_neighbour(*m);
        if (n && n->interface == interface && n->address == address)
            return n->usable ? n->hardware : std::nullopt;
    }
    return {};
}

/// The errno values by which the kernel refuses to route.
boost::system::result<route_entry> refused(error_code const& ec) {
    route_entry e;
    switch (ec.category() == boost::system::system_category() ? ec.value() : 0) {
        case EINVAL: e.kind = route_kind::blackhole; return e;
        case EHOSTUNREACH: e.kind = route_kind::unreachable; return e;
        case EACCES: e.kind = route_kind::prohibit; return e;
        case ENETUNREACH:
        case EAGAIN:      // a "throw" route
        case EOPNOTSUPP:  // no IPv6 in this kernel
        case EAFNOSUPPORT: return make_error_code(errc::no_route);
        case ENODEV: return make_error_code(errc::no_such_interface);
        default: return ec;
    }
}

}  // namespace

error_code read_tables(netlink_socket& socket, std::size_t max_route_bytes, table_contents& found) {
    return reader(socket, max_route_bytes, found).read();
}

boost::system::result<route_entry> ask_route(netlink_socket& socket, ip_address const& to, int interface) {
    netlink_message reply;
    if (auto ec = socket.get(route_request(to, interface), reply)) return refused(ec);
    auto e = read_route(reply);
    if (!e) return make_error_code(boost::system::errc::bad_message);
    return *e;
}

std::optional<mac> ask_neighbour(netlink_socket& socket, int interface, ip_address const& address,
                                 bool& dumps_only, error_code& ec) {
    if (!dumps_only) {
        netlink_message reply;
        ec = socket.get(neighbour_request(interface, address), reply);
        if (!ec) {
            auto n = read_neighbour(reply);
            return n && n->usable ? n->hardware : std::nullopt;
        }
        if (is_system(ec, ENOENT) || is_system(ec, ENODEV)) ec = {};
        dumps_only = is_system(ec, EOPNOTSUPP);
        if (!dumps_only) return {};
    }
    return find_in_dump(socket, interface, address, ec);
}

}  // namespace sonde::inline v0::detail
