#include <sonde/error.hpp>

namespace sonde::inline v0 {
namespace {

struct category final : boost::system::error_category {
    char const* name() const noexcept override { return "sonde"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
            case errc::permission:
                return "no permission for raw packet sockets (CAP_NET_RAW): run as root, or "
                       "`sudo setcap cap_net_raw+ep PROGRAM`, or try it in `sonde lab -- PROGRAM`";
            case errc::no_such_interface: return "no such interface: `ip link` lists them";
            case errc::interface_down: return "the interface is down: `ip link set IFACE up`";
            case errc::no_route: return "no route to the destination: see `ip route get ADDRESS`";
            case errc::no_neighbour:
                return "the next hop does not answer ARP or neighbour discovery: is it up, and on "
                       "this link?";
            case errc::host_not_found: return "the host name does not resolve to an address";
            case errc::bad_filter: return "the capture filter does not compile: see pcap-filter(7)";
            case errc::message_too_long:
                return "the packet is larger than the interface's MTU: use fragment(packet)";
            case errc::already_running: return "another next() is waiting on this stream";
            case errc::table_full: return "too many probes in flight on this network";
            case errc::identities_exhausted:
                return "every identity (port, id, sequence number) of this probe is in use";
            case errc::set_too_large: return "the set holds too many packets";
            case errc::value_out_of_range: return "value out of range";
            case errc::bad_text: return "text that the field cannot read";
            case errc::no_such_layer: return "no such layer";
            case errc::no_such_field: return "no such field";
            case errc::bad_expression: return "cannot read the packet expression";
            case errc::not_a_single_value: return "the field holds no single value";
            case errc::bad_file: return "not a capture file, or damaged";
            case errc::truncated_file: return "the capture file ends inside a record";
            case errc::unsupported_link_type: return "frames of a link type that sonde cannot read";
            case errc::header_too_long: return "the header is longer than its length field can say";
            case errc::user_code_failed:
                return "a source of packets or a layer's own code threw an exception: see why()";
            case errc::target_refused:
                return "a special address, met in a range, in a network or by chance, is no target: write it "
                       "as "
                       "it is, or allow its kind (network_options::targets, `--allow-target KIND`)";
            case errc::target_blocked:
                return "the network does not send there: see network::block and network::allow, `--block "
                       "NET`";
        }
        return "unknown error";
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
