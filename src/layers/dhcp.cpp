#include <sonde/layers/arp.hpp>
#include <sonde/layers/dhcp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include "../packet/reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;
using namespace detail;

// --- options -----------------------------------------------------------------------------------------

enum class kind : std::uint8_t { bytes, text, octet, number16, number32, address, octet_list, routes };

struct option {
    std::uint8_t code;
    std::string_view name;
    kind values;  // one behind the other
};

// clang-format off
/// RFC 2132 and the IANA registry, by Scapy's names.
constexpr option options[] = {
    {1, "subnet_mask", kind::address}, {2, "time_zone", kind::number32}, {3, "router", kind::address},
    {4, "time_server", kind::address}, {5, "IEN_name_server", kind::address}, {6, "name_server", kind::address},
    {7, "log_server", kind::address}, {8, "cookie_server", kind::address}, {9, "lpr_server", kind::address},
    {10, "impress-servers", kind::address}, {11, "resource-location-servers", kind::address},
    {12, "hostname", kind::bytes}, {13, "boot-size", kind::number16}, {14, "dump_path", kind::bytes},
    {15, "domain", kind::bytes}, {16, "swap-server", kind::address}, {17, "root_disk_path", kind::bytes},
    {18, "extensions-path", kind::bytes}, {19, "ip-forwarding", kind::octet},
    {20, "non-local-source-routing", kind::octet}, {21, "policy-filter", kind::address},
    {22, "max_dgram_reass_size", kind::number16}, {23, "default_ttl", kind::octet},
    {24, "pmtu_timeout", kind::number32}, {25, "path-mtu-plateau-table", kind::number16},
    {26, "interface-mtu", kind::number16}, {27, "all-subnets-local", kind::octet},
    {28, "broadcast_address", kind::address}, {29, "perform-mask-discovery", kind::octet},
    {30, "mask-supplier", kind::octet}, {31, "router-discovery", kind::octet},
    {32, "router-solicitation-address", kind::address}, {33, "static-routes", kind::address},
    {34, "trailer-encapsulation", kind::octet}, {35, "arp_cache_timeout", kind::number32},
    {36, "ieee802-3-encapsulation", kind::octet}, {37, "tcp_ttl", kind::octet},
    {38, "tcp_keepalive_interval", kind::number32}, {39, "tcp_keepalive_garbage", kind::octet},
    {40, "NIS_domain", kind::text}, {41, "NIS_server", kind::address}, {42, "NTP_server", kind::address},
    {43, "vendor_specific", kind::bytes}, {44, "NetBIOS_server", kind::address},
    {45, "NetBIOS_dist_server", kind::address}, {46, "NetBIOS_node_type", kind::octet},
    {47, "netbios-scope", kind::bytes}, {48, "font-servers", kind::address},
    {49, "x-display-manager", kind::address}, {50, "requested_addr", kind::address},
    {51, "lease_time", kind::number32}, {52, "dhcp-option-overload", kind::octet},
    {53, "message-type", kind::octet}, {54, "server_id", kind::address},
    {55, "param_req_list", kind::octet_list}, {56, "error_message", kind::bytes},
    {57, "max_dhcp_size", kind::number16}, {58, "renewal_time", kind::number32},
    {59, "rebinding_time", kind::number32}, {60, "vendor_class_id", kind::text}, {61, "client_id", kind::text},
    {62, "nwip-domain-name", kind::bytes}, {64, "NISplus_domain", kind::bytes},
    {65, "NISplus_server", kind::address}, {66, "tftp_server_name", kind::bytes},
    {67, "boot-file-name", kind::text}, {68, "mobile-ip-home-agent", kind::address},
    {69, "SMTP_server", kind::address}, {70, "POP3_server", kind::address}, {71, "NNTP_server", kind::address},
    {72, "WWW_server", kind::address}, {73, "Finger_server", kind::address}, {74, "IRC_server", kind::address},
    {75, "StreetTalk_server", kind::address}, {76, "StreetTalk_Dir_Assistance", kind::address},
    {77, "user_class", kind::bytes}, {78, "slp_service_agent", kind::bytes},
    {79, "slp_service_scope", kind::bytes}, {81, "client_FQDN", kind::bytes},
    {82, "relay_agent_information", kind::bytes}, {85, "nds-server", kind::address},
    {86, "nds-tree-name", kind::text}, {87, "nds-context", kind::text},
    {88, "bcms-controller-namesi", kind::bytes}, {89, "bcms-controller-address", kind::address},
    {91, "client-last-transaction-time", kind::number32}, {92, "associated-ip", kind::address},
    {93, "pxe_client_architecture", kind::bytes}, {94, "pxe_client_network_interface", kind::bytes},
    {97, "pxe_client_machine_identifier", kind::bytes}, {98, "uap-servers", kind::text},
    {100, "pcode", kind::text}, {101, "tcode", kind::text}, {112, "netinfo-server-address", kind::address},
    {113, "netinfo-server-tag", kind::text}, {114, "default-url", kind::text},
    {116, "auto-config", kind::octet}, {117, "name-service-search", kind::number16},
    {118, "subnet-selection", kind::address}, {121, "classless_static_routes", kind::routes},
    {124, "vendor_class", kind::bytes}, {125, "vendor_specific_information", kind::bytes},
    {128, "tftp_server_ip_address", kind::address}, {136, "pana-agent", kind::address},
    {137, "v4-lost", kind::bytes}, {138, "capwap-ac-v4", kind::address},
    {141, "sip_ua_service_domains", kind::bytes}, {146, "rdnss-selection", kind::bytes},
    {150, "tftp_server_address", kind::address}, {159, "v4-portparams", kind::bytes},
    {160, "v4-captive-portal", kind::text}, {161, "mud-url", kind::text}, {208, "pxelinux_magic", kind::bytes},
    {209, "pxelinux_configuration_file", kind::bytes}, {210, "pxelinux_path_prefix", kind::bytes},
    {211, "pxelinux_reboot_time", kind::bytes}, {212, "option-6rd", kind::bytes},
    {213, "v4-access-domain", kind::bytes}};
// clang-format on

constexpr std::array<std::string_view, 14> message_types = {
    "",        "discover", "offer",       "request",     "decline",          "ack",           "nak",
    "release", "inform",   "force_renew", "lease_query", "lease_unassigned", "lease_unknown", "lease_active"};
constexpr std::uint8_t pad = 0, message_type = 53, end = 255;

option const* find(std::uint64_t code) {
    auto o = std::ranges::find(options, code, &option::code);
    return o == std::end(options) ? nullptr : o;
}

std::size_t size_of(kind k) {
    switch (k) {
        case kind::octet: return 1;
        case kind::number16: return 2;
        case kind::number32:
        case kind::address: return 4;
        default: return 0;
    }
}

std::string text_of(header bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

literal print_value(kind k, header bytes) {
    auto number = read_bits(bytes, {0, static_cast<std::uint32_t>(8 * bytes.size())});
    if (k == kind::address) return value_traits<ipv4>::from_wire(number).to_string();
    return number.low;
}

// A route (RFC 3442): the bits of its destination, as many octets of it as they need, and the router.

constexpr unsigned address_bits = 32;

std::size_t destination_octets(unsigned bits) {
    return (bits + 7) / 8;
}

std::string address_text(header octets) {
    std::array<std::byte, 4> all{};
    std::ranges::copy(octets, all.begin());
    return value_traits<ipv4>::from_wire(read_bits(all, {0, address_bits})).to_string();
}

/// `192.0.2.0/24:198.51.100.1` for each; nothing when they cannot be read to the end.
std::optional<literal::list> print_routes(header data) {
    literal::list all;
    while (!data.empty()) {
        auto bits = std::to_integer<unsigned>(data[0]);
        auto octets = destination_octets(bits), size = 1 + octets + 4;
        if (bits > address_bits || data.size() < size) return {};
        all.items.emplace_back(fmt::format("{}/{}:{}", address_text(data.subspan(1, octets)), bits,
                                           address_text(data.subspan(1 + octets, 4))));
        data = data.subspan(size);
    }
    return all;
}

std::string read_route(option const& o, literal const& value) {
    auto const* text = octets_of(value);
    if (!text)
        fail(errc::bad_text, value, "DHCP option {} takes routes or bytes, not {}", o.name, kind_of(value));
    if (value.as<literal::bytes>() || text->empty()) return *text;
    auto slash = std::min(text->find('/'), text->size()), colon = std::min(text->find(':'), text->size());
    std::string_view const all = *text;
    auto destination = ipv4::parse(all.substr(0, slash));
    auto router = ipv4::parse(all.substr(std::min(colon + 1, all.size())));
    auto bits =
        slash < colon ? decimal(all.substr(slash + 1, colon - slash - 1), address_bits) : std::nullopt;
    if (!destination || !router || !bits)
        fail(errc::bad_text, value,
             "DHCP option {} takes routes, as \"192.0.2.0/24:198.51.100.1\", not \"{}\"", o.name,
             escape(all));
    std::array<std::byte, 8> octets{};
    write_bits(octets, {0, address_bits}, value_traits<ipv4>::to_wire(*destination));
    write_bits(octets, {address_bits, address_bits}, value_traits<ipv4>::to_wire(*router));
    return static_cast<char>(*bits) + text_of(header(octets).first(destination_octets(*bits))) +
           text_of(header(octets).last(4));
}

literal print_option(std::uint8_t code, header data) {
    auto const* o = find(code);
    literal::tuple entry;
    entry.items.push_back(o ? literal(o->name) : literal(std::uint64_t(code)));
    auto size = o ? size_of(o->values) : 0;
    if (o && o->values == kind::octet_list) {
        literal::list all;
        for (auto b : data) all.items.emplace_back(std::to_integer<std::uint64_t>(b));
        entry.items.emplace_back(std::move(all));
    } else if (o && o->values == kind::routes) {
        auto routes = data.empty() ? std::nullopt : print_routes(data);
        if (!routes) entry.items[0] = std::uint64_t(code);
        entry.items.push_back(routes ? literal(std::move(*routes)) : literal(literal::bytes{text_of(data)}));
    } else if (size == 0 || data.empty() || data.size() % size != 0) {
        // Data that the option's type does not divide are told by the code, which takes bytes.
        if (size != 0) entry.items[0] = std::uint64_t(code);
        entry.items.emplace_back(literal::bytes{text_of(data)});
    } else {
        for (; !data.empty(); data = data.subspan(size))
            entry.items.push_back(print_value(o->values, data.first(size)));
    }
    return entry;
}

literal print(header bytes, header) {
    literal::list list;
    while (!bytes.empty()) {
        auto code = std::to_integer<std::uint8_t>(bytes[0]);
        if (code == pad || code == end) {
            list.items.emplace_back(code == pad ? "pad" : "end");
            bytes = bytes.subspan(1);
            continue;
        }
        auto length = bytes.size() < 2 ? bytes.size() : std::to_integer<std::size_t>(bytes[1]);
        if (bytes.size() < 2 || length > bytes.size() - 2) {
            list.items.emplace_back(literal::bytes{text_of(bytes)});
            break;
        }
        list.items.push_back(print_option(code, bytes.subspan(2, length)));
        bytes = bytes.subspan(2 + length);
    }
    return list;
}

std::uint64_t number_of(option const& o, literal const& value) {
    if (auto const* n = value.as<std::uint64_t>()) return *n;
    auto const* text = value.as<std::string>();
    auto type =
        text && o.code == message_type ? std::ranges::find(message_types, *text) : message_types.end();
    if (type == message_types.end() || type == message_types.begin())
        fail(errc::bad_text, value, "DHCP option {} takes a number, not {}", o.name, kind_of(value));
    return static_cast<std::uint64_t>(type - message_types.begin());
}

std::string read_value(option const& o, literal const& value) {
    auto size = o.values == kind::octet_list ? 1 : size_of(o.values);
    std::string out;
    if (o.values == kind::routes) return read_route(o, value);
    if (size == 0) {
        auto const* bytes = octets_of(value);
        if (!bytes)
            fail(errc::bad_text, value, "DHCP option {} takes text or bytes, not {}", o.name, kind_of(value));
        return *bytes;
    }
    std::uint64_t n = 0;
    if (o.values == kind::address) {
        auto const* text = value.as<std::string>();
        auto address = text ? ipv4::parse(*text) : std::nullopt;
        if (!address) fail(errc::bad_text, value, "DHCP option {} takes IPv4 addresses", o.name);
        n = address->value;
    } else {
        n = number_of(o, value);
    }
    if (size < 8 && n >> 8 * size)
        fail(errc::value_out_of_range, value, "DHCP option {} cannot hold {} ({} bytes)", o.name, n, size);
    for (auto i = size; i-- > 0;) out += static_cast<char>(n >> 8 * i);
    return out;
}

/// The code, and how its values read; a code without a name takes bytes.
option option_of(literal const& name) {
    if (auto const* n = name.as<std::uint64_t>(); n && *n < 256)
        return {static_cast<std::uint8_t>(*n), "by number", kind::bytes};
    auto const* text = name.as<std::string>();
    auto o = text ? std::ranges::find(options, *text, &option::name) : std::end(options);
    if (o != std::end(options)) return *o;
    std::vector<std::string_view> names;
    for (auto const& known : options) names.push_back(known.name);
    fail(errc::bad_text, name, "no DHCP option \"{}\"{}; others go by number: (250, b'..')",
         text ? escape(*text) : std::string(kind_of(name)), text ? did_you_mean(*text, names) : "");
}

void read_option(std::span<literal const> entry, literal const& at, std::string& out) {
    if (entry.empty()) fail(errc::bad_text, at, "a DHCP option is (name, value, ..), \"end\" or bytes");
    auto o = option_of(entry[0]);
    std::string data;
    for (auto const& value : entry.subspan(1)) {
        auto const* list = value.as<literal::list>();
        if (!list) data += read_value(o, value);
        if (list)
            for (auto const& item : list->items) data += read_value(o, item);
    }
    if (data.size() > 255)
        fail(errc::header_too_long, at, "DHCP option {} of {} bytes, at most 255", o.name, data.size());
    out += {static_cast<char>(o.code), static_cast<char>(data.size())};
    out += data;
}

std::string read(literal const& value, literal::call const*) {
    auto const* entries = value.as<literal::list>();
    if (!entries)
        fail(errc::bad_text, value, "DHCP options are a list, [('message-type', 'discover'), 'end'], not {}",
             kind_of(value));
    std::string out;
    for (auto const& item : entries->items) {
        auto const* tuple = item.as<literal::tuple>();
        auto const* list = item.as<literal::list>();
        auto const* text = item.as<std::string>();
        auto const* bytes = item.as<literal::bytes>();
        if (text && (*text == "end" || *text == "pad"))
            out += static_cast<char>(*text == "end" ? end : pad);
        else if (text || bytes)
            out += text ? *text : bytes->value;
        else if (auto const* n = item.as<std::uint64_t>(); n && *n < 256)
            out += {static_cast<char>(*n), '\0'};
        else
            read_option(tuple ? tuple->items : list ? list->items : std::vector<literal>{}, item, out);
    }
    return out;
}

// --- what show() prints -------------------------------------------------------------------------------

std::string show_value(option const* o, literal const& value) {
    auto const* number = value.as<std::uint64_t>();
    if (number && o && o->code == message_type && *number > 0 && *number < message_types.size())
        return std::string(message_types[*number]);
    if (auto const* text = value.as<std::string>()) return *text;
    auto const* bytes = value.as<literal::bytes>();
    bool is_text = bytes && o && o->values == kind::text;
    return to_python(is_text ? literal(bytes->value) : value);
}

std::string show_option(literal const& item) {
    auto const* entry = item.as<literal::tuple>();
    if (!entry) return item.as<std::string>() ? *item.as<std::string>() : to_python(item);
    auto const* name = entry->items[0].as<std::string>();
    auto out = name ? *name : to_python(entry->items[0]);
    auto o = name ? std::ranges::find(options, *name, &option::name) : std::end(options);
    for (std::size_t i = 1; i < entry->items.size(); ++i)
        out += (i == 1 ? "=" : ",") + show_value(o == std::end(options) ? nullptr : o, entry->items[i]);
    return out;
}

/// `[message-type=offer server_id=192.0.2.1 end]`
std::string show(literal const& list) {
    std::string out;
    for (auto const& item : list.as<literal::list>()->items)
        out += (out.empty() ? "" : " ") + show_option(item);
    return "[" + out + "]";
}

/// A hardware address behind which the field is padded, as it is of Ethernet.
std::string show_hardware(std::string usual, literal const& value, header h) {
    constexpr std::size_t address_size = 6, all = 16;
    auto const* bytes = value.as<literal::bytes>();
    if ((h.size() > 1 && std::to_integer<unsigned>(h[1]) != 1) || !bytes || bytes->value.size() != all)
        return usual;
    auto address =
        value_traits<mac>::from_wire(read_bits(std::as_bytes(std::span(bytes->value)), {0, 48})).to_string();
    auto rest = bytes->value.substr(address_size);
    if (rest.find_first_not_of('\0') == rest.npos) return address + " (+ 10 nul pad)";
    return fmt::format("{} (pad: {})", address, to_python(literal::bytes{rest}));
}

std::string show_bytes(std::string, literal const& value, header) {
    return to_python(value);
}

// --- BOOTP -------------------------------------------------------------------------------------------

constexpr std::size_t fixed = 236;
constexpr std::string_view magic = "\x63\x82\x53\x63";

constexpr field_rule bootp_rules[] = {
    {.field = "xid", .identity = identity_part::number, .hexadecimal = true},
    {.field = "htype", .names = arp_hardware::names},
    {.field = "chaddr", .octets = 16, .show = show_hardware},
    {.field = "sname", .octets = 64},
    {.field = "file", .octets = 128},
    {.field = "options", .show = show_bytes}};

std::size_t bootp_length(header bytes) {
    if (bytes.size() < fixed + magic.size()) return std::max(fixed, bytes.size());
    return text_of(bytes.subspan(fixed, magic.size())) == magic ? fixed + magic.size() : bytes.size();
}

void follow(dissect_step& step) {
    if (step.view.header().size() == fixed + magic.size()) step.next = &describe<DHCP>();
}

header chaddr_of(layer_view const& v) {
    constexpr std::size_t at = 28, length = 16;
    return v.header().subspan(at, length);
}

/// What an option holds, if it is there and whole.
std::optional<header> find_option(layer_view const& dhcp, unsigned code) {
    if (!dhcp.is<DHCP>()) return {};
    auto rest = dhcp.header();
    auto octet = [&](std::size_t at) { return std::to_integer<unsigned>(rest[at]); };
    while (!rest.empty() && octet(0) != end) {
        if (octet(0) == pad) {
            rest = rest.subspan(1);
            continue;
        }
        if (rest.size() < 2 || rest.size() < 2 + octet(1)) return {};
        if (octet(0) == code) return rest.subspan(2, octet(1));
        rest = rest.subspan(2 + octet(1));
    }
    return {};
}

/// 0: no DHCP message.
unsigned type_of(layer_view const& dhcp) {
    auto type = find_option(dhcp, message_type);
    return type && type->size() == 1 ? std::to_integer<unsigned>(type->front()) : 0;
}

/// RFC 2131 §4.4, RFC 4039. What it does not name may answer anything.
bool is_answer(layer_view const& reply, layer_view const& sent) {
    enum : unsigned { discover = 1, offer, request, decline, ack, nak, release, inform };
    constexpr unsigned rapid_commit = 80;
    auto told = type_of(reply);
    if (told == 0) return true;
    switch (type_of(sent)) {
        case discover: return told == offer || (told == ack && find_option(sent, rapid_commit));
        case request: return told == ack || told == nak;
        case inform: return told == ack;
        case decline:
        case release: return false;
        default: return true;
    }
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.has<&BOOTP::chaddr>() || !sent.has<&BOOTP::chaddr>())
        return match_verdict::mismatch("bootp header cut short");
    if (auto got = reply.get<&BOOTP::op>(); got != 2 || sent.get<&BOOTP::op>() != 1)
        return match_verdict::mismatch(fmt::format("bootp op {} does not answer op {}", unsigned(got),
                                                   unsigned(sent.get<&BOOTP::op>())));
    if (auto got = reply.get<&BOOTP::xid>(), ours = sent.get<&BOOTP::xid>(); got != ours)
        return match_verdict::mismatch(fmt::format("bootp xid {:#x}, expected {:#x}", got, ours));
    // RFC 2131 §4.3.1: copied from the question. Clients choose xids alike, and answers reach them all.
    if (!std::ranges::equal(chaddr_of(reply), chaddr_of(sent)))
        return match_verdict::mismatch("bootp chaddr is another client's");
    if (!is_answer(reply.upper(), sent.upper()))
        return match_verdict::mismatch(fmt::format("dhcp message type {} does not answer type {}",
                                                   type_of(reply.upper()), type_of(sent.upper())));
    return match_verdict::match();
}

void key(layer_view const& v, key_builder& k) {
    k.add(v.get<&BOOTP::xid>());
}

void summarize(layer_view const& v, std::string& out) {
    auto list = print(v.header(), v.header());
    for (auto const& item : list.as<literal::list>()->items) {
        auto const* entry = item.as<literal::tuple>();
        auto const* name = entry ? entry->items[0].as<std::string>() : nullptr;
        auto const* type = entry && entry->items.size() == 2 ? entry->items[1].as<std::uint64_t>() : nullptr;
        if (!name || *name != "message-type" || !type) continue;
        std::string text(*type < message_types.size() ? message_types[*type] : "");
        if (!text.empty()) text[0] = static_cast<char>(text[0] - 'a' + 'A');
        out += "DHCP " + text;
        return;
    }
}

}  // namespace

layer_hooks hooks(BOOTP const*) {
    return {.rules = bootp_rules,
            .header_length = bootp_length,
            .follow = follow,
            .join = [](layer_description const& upper) -> std::string_view {
                return &upper == &describe<DHCP>() ? magic : std::string_view();
            },
            .answers = answers,
            .key = key};
}
layer_hooks hooks(DHCP const*) {
    return {.title = "DHCP options", .summarize = summarize};
}

dhcp_options::dhcp_options(std::string_view list) {
    append(read(parse_literal(list), nullptr));
}

option_codec const& dhcp_options::codec() {
    static constexpr option_codec codec{
        .print = print, .read = read, .show = show, .leads = true, .multiple_of = 1};
    return codec;
}

}  // namespace sonde::inline v0
