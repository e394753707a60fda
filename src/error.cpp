#include <sonde/error.hpp>

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace sonde::inline v0 {
namespace {

struct description {
    errc code;
    std::string_view name;
    std::string_view what;
};
#define SONDE_ERROR(name, what) \
    description {               \
        errc::name, #name, what \
    }

/// In the order of their numbers.
constexpr description descriptions[] = {
    SONDE_ERROR(permission,
                "no permission for raw packet sockets (CAP_NET_RAW): run as root, or `sudo setcap "
                "cap_net_raw+ep PROGRAM`, or try it in `sonde lab -- PROGRAM`"),
    SONDE_ERROR(no_such_interface, "no such interface: `ip link` lists them"),
    SONDE_ERROR(interface_down, "the interface is down: `ip link set IFACE up`"),
    SONDE_ERROR(no_route, "no route to the destination: see `ip route get ADDRESS`"),
    SONDE_ERROR(no_neighbour,
                "the next hop does not answer ARP or neighbour discovery: is it up, and on this link?"),
    SONDE_ERROR(host_not_found, "the host name does not resolve to an address"),
    SONDE_ERROR(bad_filter, "the capture filter does not compile: see pcap-filter(7)"),
    SONDE_ERROR(message_too_long, "the packet is larger than the interface's MTU: use fragment(packet)"),
    SONDE_ERROR(already_running, "another next() is waiting on this stream"),
    SONDE_ERROR(table_full, "too many probes in flight on this network"),
    SONDE_ERROR(identities_exhausted, "every identity (port, id, sequence number) of this probe is in use"),
    SONDE_ERROR(set_too_large, "the set holds too many packets"),
    SONDE_ERROR(value_out_of_range, "value out of range"),
    SONDE_ERROR(bad_text, "text that the field cannot read"),
    SONDE_ERROR(no_such_layer, "no such layer"),
    SONDE_ERROR(no_such_field, "no such field"),
    SONDE_ERROR(bad_expression, "cannot read the packet expression"),
    SONDE_ERROR(not_a_single_value, "the field holds no single value"),
    SONDE_ERROR(bad_file, "not a capture file, or damaged"),
    SONDE_ERROR(truncated_file, "the capture file ends inside a record"),
    SONDE_ERROR(unsupported_link_type, "frames of a link type that sonde cannot read"),
    SONDE_ERROR(header_too_long, "the header is longer than its length field can say"),
    SONDE_ERROR(user_code_failed, "a source of packets or a layer's own code threw an exception: see why()"),
    SONDE_ERROR(target_refused,
                "a special address, met in a range, in a network or by chance, is no target: write it as it "
                "is, or allow its kind (network_options::targets, `--allow-target KIND`)"),
    SONDE_ERROR(target_blocked,
                "the network does not send there: see network::block and network::allow, `--block NET`"),
};
#undef SONDE_ERROR

constexpr bool in_order() {
    int number = 0;
    for (auto const& d : descriptions)
        if (static_cast<int>(d.code) != ++number) return false;
    return number == static_cast<int>(errc::target_blocked);
}
static_assert(in_order());

struct category final : boost::system::error_category {
    char const* name() const noexcept override { return "sonde"; }

    /// What it is, and where the documentation has more of it.
    std::string message(int value) const override {
        if (value < 1 || value > static_cast<int>(std::size(descriptions))) return "unknown error";
        auto const& d = descriptions[value - 1];
        return fmt::format("{} [docs/errors.md#{}]", d.what, d.name);
    }
};

}  // namespace

boost::system::error_category const& sonde_category() noexcept {
    static category const instance;
    return instance;
}

void throw_error(errc code, std::string_view context) {
    throw error(code, std::string(context));
}

}  // namespace sonde::inline v0
