#include <sonde/layers/ip.hpp>
#include <sonde/layers/sctp.hpp>
#include <sonde/packet/text.hpp>

#include "../packet/reading.hpp"
#include "record_list.hpp"

#include <fmt/format.h>
#include <boost/crc.hpp>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

std::size_t number16(header h, std::size_t at) {
    return at + 1 < h.size()
               ? std::to_integer<std::size_t>(h[at]) << 8 | std::to_integer<std::size_t>(h[at + 1])
               : 0;
}
std::size_t padded(std::size_t length) {
    return (length + 3) / 4 * 4;
}

// --- the common header -------------------------------------------------------------------------------

constexpr field_rule common_rules[] = {{.field = "sport", .identity = identity_part::port, .quoted = true},
                                       {.field = "dport", .quoted = true},
                                       {.field = "tag", .hexadecimal = true, .quoted = true},
                                       {.field = "chksum", .hexadecimal = true}};

/// CRC32c (RFC 9260 §6.8, appendix A), least significant byte first.
std::uint32_t crc32c(header bytes) {
    boost::crc_optimal<32, 0x1edc6f41, 0xffffffff, 0xffffffff, true, true> crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return __builtin_bswap32(crc.checksum());
}

void finish(build_step& step) {
    if (!step.is_automatic<&SCTP::chksum>()) return;
    step.fill<&SCTP::chksum>(0);
    auto const all = step.view();
    step.fill<&SCTP::chksum>(
        crc32c(all.packet().bytes.subspan(all.span().begin, all.span().size() + all.payload().size())));
}

/// The tag that an INIT asks its peer to use; nothing of other packets.
std::optional<std::uint32_t> asked_tag(layer_view const& sent) {
    auto chunk = sent.upper();
    if (!chunk.is<SCTPChunkInit>() || !chunk.has<&SCTPChunkInit::init_tag>()) return {};
    return chunk.get<&SCTPChunkInit::init_tag>();
}

/// RFC 9260 §8.4, §8.5.1: who does not know the association reflects its tag and sets the T bit.
bool is_reflected(layer_view const& reply) {
    auto chunk = reply.upper();
    return (chunk.is<SCTPChunkAbort>() && chunk.get<&SCTPChunkAbort::TCB>() != 0) ||
           (chunk.is<SCTPChunkShutdownComplete>() && chunk.get<&SCTPChunkShutdownComplete::TCB>() != 0);
}

/// RFC 9260 §8.3: what a heartbeat says is copied into its acknowledgement.
bool is_changed_heartbeat(layer_view const& reply, layer_view const& sent) {
    constexpr std::size_t chunk_header = 4;
    return sent.is<SCTPChunkHeartbeatReq>() && reply.is<SCTPChunkHeartbeatAck>() &&
           !std::ranges::equal(reply.header().subspan(std::min(chunk_header, reply.header().size())),
                               sent.header().subspan(std::min(chunk_header, sent.header().size())));
}

// --- which chunks answer which -----------------------------------------------------------------------

/// A bit for each chunk type up to 31.
using chunk_types = std::uint32_t;
constexpr chunk_types any_type = ~chunk_types(0);
enum chunk : unsigned {
    data,
    init,
    init_ack,
    sack,
    heartbeat,
    heartbeat_ack,
    abort_,
    shutdown,
    shutdown_ack,
    error_,
    cookie_echo,
    cookie_ack
};
constexpr chunk_types set_of(auto... type) {
    return ((chunk_types(1) << type) | ...);
}

/// RFC 9260: §5.1 and §9.2 (an association that is ending) for INIT, §5.1 and §5.2.6 (a stale cookie) for
/// COOKIE ECHO, §8.3 for HEARTBEAT, §6.2, §6.5 (no such stream) and §9.2 (SHUTDOWN tells what came) for DATA,
/// §9.2 for SHUTDOWN; §8.4 for all: who knows no association aborts it. An INIT has no error but in ABORT or,
/// as a parameter, in INIT ACK (§3.2.2).
constexpr chunk_types answers_of(unsigned type) {
    switch (type) {
        case data: return set_of(sack, shutdown, error_, abort_);
        case init: return set_of(init_ack, shutdown_ack, abort_);
        case heartbeat: return set_of(heartbeat_ack, abort_);
        case shutdown: return set_of(shutdown_ack, abort_);
        case cookie_echo: return set_of(cookie_ack, error_, abort_);
        default: return any_type;
    }
}

/// What `of` makes of each chunk's type, together. Other chunks may stand before the one that answers, of
/// types that have no layer here too (§6.10).
template <class Of>
chunk_types of_all(header chunks, Of of) {
    constexpr std::size_t chunk_header = 4;
    chunk_types found = 0;
    while (!chunks.empty()) {
        found |= of(std::to_integer<unsigned>(chunks[0]));
        auto size = std::max(chunk_header, padded(number16(chunks, 2)));
        chunks = chunks.subspan(std::min(size, chunks.size()));
    }
    return found;
}

match_verdict chunks_answer(header reply, header sent) {
    auto expected = of_all(sent, answers_of);
    if (sent.empty() || expected == any_type) return match_verdict::match();
    if (reply.empty()) return match_verdict::mismatch("sctp packet without a chunk");
    if (expected & of_all(reply, [](unsigned type) { return type < 32 ? set_of(type) : 0; }))
        return match_verdict::match();
    return match_verdict::mismatch(fmt::format("sctp chunk type {} does not answer type {}",
                                               std::to_integer<unsigned>(reply[0]),
                                               std::to_integer<unsigned>(sent[0])));
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.has<&SCTP::chksum>()) return match_verdict::mismatch("sctp header cut short");
    if (auto got = reply.get<&SCTP::sport>(), asked = sent.get<&SCTP::dport>(); got != asked)
        return match_verdict::mismatch(fmt::format("sctp sport {}, expected {}", got, asked));
    if (auto got = reply.get<&SCTP::dport>(), ours = sent.get<&SCTP::sport>(); got != ours)
        return match_verdict::mismatch(fmt::format("sctp dport {}, expected {}", got, ours));
    // RFC 9260 §8.4: an INIT is aborted with its own tag, as it has none of the peer's that could be
    // reflected.
    bool const reflects = is_reflected(reply) && !sent.upper().is<SCTPChunkInit>();
    auto expected = reflects ? sent.get<&SCTP::tag>() : asked_tag(sent);
    if (auto got = reply.get<&SCTP::tag>(); expected && got != *expected)
        return match_verdict::mismatch(fmt::format("sctp tag {:#x}, expected {:#x}", got, *expected));
    if (reply.upper().is<SCTPChunkInit>()) return match_verdict::mismatch("an sctp INIT is no answer");
    if (is_changed_heartbeat(reply.upper(), sent.upper()))
        return match_verdict::mismatch("sctp heartbeat information changed");
    return chunks_answer(reply.payload(), sent.payload());
}

void key(layer_view const& v, key_builder& k) {
    k.add_ends(v.get<&SCTP::sport>(), v.get<&SCTP::dport>());
}

// --- chunks and parameters ---------------------------------------------------------------------------

constexpr field_rule rules[] = {{.field = "len", .measures = true},
                                {.field = "flags", .hexadecimal = true},
                                {.field = "cumul_tsn_ack", .hexadecimal = true}};

/// What `len` leaves behind the fixed fields, in bits: the padding is no part of the data.
template <std::size_t Fixed>
unsigned rest_width(header h) {
    auto length = std::min(number16(h, 2), h.size());
    return static_cast<unsigned>(8 * (length > Fixed ? length - Fixed : 0));
}
template <std::size_t Fixed>
constexpr std::array<field_rule, 8> data_rules() {
    constexpr auto width = rest_width<Fixed>;
    return {{{.field = "len", .measures = true},
             {.field = "flags", .hexadecimal = true},
             {.field = "data", .width = width},
             {.field = "error_causes", .width = width},
             {.field = "cookie", .width = width},
             {.field = "param", .width = width},
             {.field = "hostname", .width = width},
             {.field = "params", .width = width}}};
}
/// Type, flags or more of the type, and length; initiation has 16 bytes more, data 12.
constexpr auto plain_rules = data_rules<4>();
constexpr value_name parameter_types[] = {{1, "heartbeat-info"},
                                          {5, "IPv4"},
                                          {6, "IPv6"},
                                          {7, "state-cookie"},
                                          {8, "unrecognized-param"},
                                          {9, "cookie-preservative"},
                                          {11, "hostname"},
                                          {12, "addrtypes"},
                                          {0x8000, "ecn-capable"},
                                          {0x8002, "random"},
                                          {0x8003, "chunk-list"},
                                          {0x8004, "requested-HMAC-functions"},
                                          {0x8008, "supported-extensions"},
                                          {0xc000, "fwd-tsn-supported"},
                                          {0xc006, "adaptation-layer"}};

constexpr auto parameter_rules = [] {
    std::array<field_rule, 16> all{};
    auto at = std::ranges::copy(plain_rules, all.begin()).out;
    *at++ = {.field = "type", .names = parameter_types};
    *at++ = {.field = "sug_cookie_inc", .hexadecimal = true};
    *at++ = {.field = "indication", .hexadecimal = true};
    for (auto list :
         {"random", "addr_type_list", "chunk_list", "HMAC_functions_list", "supported_extensions"})
        *at++ = {.field = list, .width = rest_width<4>};
    return all;
}();
constexpr auto initiation_rules = [] {
    std::array<field_rule, 10> all{};
    std::ranges::copy(data_rules<20>(), all.begin());
    all[8] = {.field = "init_tag", .hexadecimal = true};
    all[9] = {.field = "init_tsn", .hexadecimal = true};
    return all;
}();
// clang-format off
/// IANA's payload protocol identifiers, as Scapy has them.
constexpr value_name payload_protocols[] = {
    {0, "Reserved"}, {1, "IUA"}, {2, "M2UA"}, {3, "M3UA"}, {4, "SUA"}, {5, "M2PA"}, {6, "V5UA"}, {7,
    "H.248"}, {8, "BICC/Q.2150.3"}, {9, "TALI"}, {10, "DUA"}, {11, "ASAP"}, {12, "ENRP"}, {13, "H.323"},
    {14, "Q.IPC/Q.2150.3"}, {15, "SIMCO"}, {16, "DDP Segment Chunk"}, {17, "DDP Stream Session Control"},
    {18, "S1AP"}, {19, "RUA"}, {20, "HNBAP"}, {21, "ForCES-HP"}, {22, "ForCES-MP"}, {23, "ForCES-LP"},
    {24, "SBc-AP"}, {25, "NBAP"}, {26, "Unassigned"}, {27, "X2AP"}, {28, "IRCP"}, {29, "LCS-AP"}, {30,
    "MPICH2"}, {31, "SABP"}, {32, "FGP"}, {33, "PPP"}, {34, "CALCAPP"}, {35, "SSP"}, {36, "NPMP-CONTROL"},
    {37, "NPMP-DATA"}, {38, "ECHO"}, {39, "DISCARD"}, {40, "DAYTIME"}, {41, "CHARGEN"}, {42, "3GPP RNA"},
    {43, "3GPP M2AP"}, {44, "3GPP M3AP"}, {45, "SSH/SCTP"}, {46, "Diameter/SCTP"}, {47,
    "Diameter/DTLS/SCTP"}, {48, "R14P"}, {49, "Unassigned"}, {50, "WebRTC DCEP"}, {51, "WebRTC String"},
    {52, "WebRTC Binary Partial"}, {53, "WebRTC Binary"}, {54, "WebRTC String Partial"}, {55, "3GPP PUA"},
    {56, "WebRTC String Empty"}, {57, "WebRTC Binary Empty"}};
// clang-format on
constexpr auto payload_rules = [] {
    std::array<field_rule, 12> all{};
    std::ranges::copy(data_rules<16>(), all.begin());
    all[8] = {.field = "tsn", .hexadecimal = true};
    all[9] = {.field = "stream_id", .hexadecimal = true};
    all[10] = {.field = "stream_seq", .hexadecimal = true};
    all[11] = {.field = "proto_id", .names = payload_protocols};
    return all;
}();

unsigned gaps_width(header h) {
    return static_cast<unsigned>(32 * number16(h, 12));
}
constexpr field_rule sack_rules[] = {
    {.field = "flags", .hexadecimal = true},          {.field = "len", .measures = true},
    {.field = "cumul_tsn_ack", .hexadecimal = true},  {.field = "n_gap_ack", .counts = "gap_ack_list"},
    {.field = "n_dup_tsn", .counts = "dup_tsn_list"}, {.field = "gap_ack_list", .width = gaps_width}};

std::size_t chunk_length(header h) {
    auto length = number16(h, 2);
    return h.size() >= 4 && length < 4 ? 0 : std::max<std::size_t>(4, padded(length));
}

layer_hooks part(std::span<field_rule const> of) {
    return {.rules = of, .multiple_of = 4, .header_length = chunk_length};
}

layer_description const* parameter_layer(header h) {
    switch (number16(h, 0)) {
        case 1: return &describe<SCTPChunkParamHeartbeatInfo>();
        case 5: return &describe<SCTPChunkParamIPv4Addr>();
        case 6: return &describe<SCTPChunkParamIPv6Addr>();
        case 7: return &describe<SCTPChunkParamStateCookie>();
        case 8: return &describe<SCTPChunkParamUnrocognizedParam>();
        case 9: return &describe<SCTPChunkParamCookiePreservative>();
        case 11: return &describe<SCTPChunkParamHostname>();
        case 12: return &describe<SCTPChunkParamSupportedAddrTypes>();
        case 32768: return &describe<SCTPChunkParamECNCapable>();
        case 32770: return &describe<SCTPChunkParamRandom>();
        case 32771: return &describe<SCTPChunkParamChunkList>();
        case 32772: return &describe<SCTPChunkParamRequestedHMACFunctions>();
        case 32776: return &describe<SCTPChunkParamSupportedExtensions>();
        case 49152: return &describe<SCTPChunkParamFwdTSN>();
        case 49158: return &describe<SCTPChunkParamAdaptationLayer>();
        default: return &describe<SCTPChunkParamHeartbeatInfo>();
    }
}
/// The padding of the last parameter is the chunk's (RFC 9260 §3.2), or counted by it, as Scapy builds it.
std::size_t parameter_length(header h) {
    auto length = h.size() < 4 ? 0 : number16(h, 2);
    if (length < 4) return 0;
    return length <= h.size() ? std::min(padded(length), h.size()) : length;
}
constexpr detail::record_kind parameter_kind{
    .what = "SCTPChunkParam..(..)",
    .length = parameter_length,
    .layer = parameter_layer,
    .is_record = [](layer_description const& l) { return l.name.starts_with("SCTPChunkParam"); },
    .multiple_of = 4};

// --- lists of numbers --------------------------------------------------------------------------------

literal rest_of(header bytes) {
    return literal::bytes{{reinterpret_cast<char const*>(bytes.data()), bytes.size()}};
}

literal print_gaps(header bytes, header) {
    literal::list list;
    for (; bytes.size() >= 4; bytes = bytes.subspan(4))
        list.items.emplace_back(fmt::format("{}:{}", number16(bytes, 0), number16(bytes, 2)));
    if (!bytes.empty()) list.items.push_back(rest_of(bytes));
    return list;
}
void append32(std::string& out, std::uint64_t n) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
}

std::string read_gaps(literal const& value, literal::call const*) {
    std::string out;
    for (auto const& item : value.as<literal::list>()->items) {
        auto const* text = item.as<std::string>();
        auto const* bytes = item.as<literal::bytes>();
        auto colon = text ? text->find(':') : std::string::npos;
        if (bytes) {
            out += bytes->value;
            continue;
        }
        auto from =
            colon == std::string::npos ? std::nullopt : detail::decimal(text->substr(0, colon), 65535);
        auto to = from ? detail::decimal(text->substr(colon + 1), 65535) : std::nullopt;
        if (!to) detail::fail(errc::bad_text, item, "a gap is \"from:to\", not {}", detail::kind_of(item));
        append32(out, std::uint64_t(*from) << 16 | *to);
    }
    return out;
}
std::string show_gaps(literal const& value) {
    return to_python(value);
}
std::string show_numbers(literal const& value) {
    std::string out;
    for (auto const& item : value.as<literal::list>()->items) {
        auto const* n = item.as<std::uint64_t>();
        out += (out.empty() ? "" : ", ") + (n ? fmt::format("{:#x}", *n) : to_python(item));
    }
    return "[" + out + "]";
}
std::size_t count_words(header bytes) {
    return bytes.size() / 4;
}

constexpr value_name hmac_functions[] = {{0, "Reserved1"}, {1, "SHA-1"}, {2, "Reserved2"}, {3, "SHA-256"}};
constexpr std::span<value_name const> no_names;
constexpr auto address_types = std::span<value_name const>(parameter_types);
constexpr auto hmac_names = std::span<value_name const>(hmac_functions);
constexpr auto chunk_names = std::span<value_name const>(sctp_chunk_types::names);

template <std::uint32_t Octets>
literal print_named(header bytes, header) {
    literal::list list;
    for (; bytes.size() >= Octets; bytes = bytes.subspan(Octets))
        list.items.emplace_back(read_bits(bytes, {0, 8 * Octets}).low);
    if (!bytes.empty()) list.items.push_back(rest_of(bytes));
    return list;
}

template <std::uint32_t Octets, auto const& Names>
std::string read_named(literal const& value, literal::call const*) {
    std::string out;
    for (auto const& item : value.as<literal::list>()->items) {
        if (auto const* bytes = item.as<literal::bytes>()) {
            out += bytes->value;
            continue;
        }
        auto const* n = item.as<std::uint64_t>();
        auto const* text = item.as<std::string>();
        auto named =
            std::ranges::find_if(Names, [&](auto const& name) { return text && name.name == *text; });
        if (!(n && *n >> 8 * Octets == 0) && named == Names.end())
            detail::fail(errc::bad_text, item, "a list of numbers of {} octets, or of names", Octets);
        auto const number = n ? *n : named->value;
        for (auto i = Octets; i-- > 0;) out += static_cast<char>(number >> 8 * i);
    }
    return out;
}

template <auto const& Names>
std::string show_named(literal const& value) {
    std::string out;
    for (auto const& item : value.as<literal::list>()->items) {
        auto const* n = item.as<std::uint64_t>();
        auto named = std::ranges::find_if(Names, [&](auto const& name) { return n && name.value == *n; });
        out +=
            (out.empty() ? "" : ", ") + (named != Names.end() ? std::string(named->name) : to_python(item));
    }
    return "[" + out + "]";
}

template <std::uint32_t Octets, auto const& Names>
constexpr option_codec named_numbers{.print = print_named<Octets>,
                                     .read = read_named<Octets, Names>,
                                     .show = show_named<Names>,
                                     .leads = true,
                                     .multiple_of = 1};

}  // namespace

void sctp_parameters::add(packet const& parameter) {
    append(detail::built_record(parameter_kind, parameter));
}

option_codec const& sctp_parameters::codec() {
    static constexpr auto codec = detail::records_codec<parameter_kind>(1);
    return codec;
}
option_codec const& sctp_gaps::codec() {
    static constexpr option_codec codec{.print = print_gaps,
                                        .read = read_gaps,
                                        .count = count_words,
                                        .show = show_gaps,
                                        .leads = true,
                                        .multiple_of = 1};
    return codec;
}
option_codec const& sctp_numbers::codec() {
    static constexpr option_codec codec{.print = print_named<4>,
                                        .read = read_named<4, no_names>,
                                        .count = count_words,
                                        .show = show_numbers,
                                        .leads = true,
                                        .multiple_of = 1};
    return codec;
}

option_codec const& sctp_address_types::codec() {
    return named_numbers<2, address_types>;
}
option_codec const& sctp_chunk_list::codec() {
    return named_numbers<1, chunk_names>;
}
option_codec const& sctp_hmac_functions::codec() {
    return named_numbers<2, hmac_names>;
}

layer_hooks hooks(SCTP const*) {
    return {.rules = common_rules, .finish = finish, .answers = answers, .key = key};
}
layer_hooks hooks(SCTPChunkData const*) {
    return part(payload_rules);
}
layer_hooks hooks(SCTPChunkInit const*) {
    return part(initiation_rules);
}
layer_hooks hooks(SCTPChunkInitAck const*) {
    return part(initiation_rules);
}
layer_hooks hooks(SCTPChunkSACK const*) {
    return part(sack_rules);
}
layer_hooks hooks(SCTPChunkHeartbeatReq const*) {
    return part(plain_rules);
}
layer_hooks hooks(SCTPChunkHeartbeatAck const*) {
    return part(plain_rules);
}
layer_hooks hooks(SCTPChunkAbort const*) {
    return part(plain_rules);
}
layer_hooks hooks(SCTPChunkShutdown const*) {
    return part(rules);
}
layer_hooks hooks(SCTPChunkShutdownAck const*) {
    return part(rules);
}
layer_hooks hooks(SCTPChunkError const*) {
    return part(plain_rules);
}
layer_hooks hooks(SCTPChunkCookieEcho const*) {
    return part(plain_rules);
}
layer_hooks hooks(SCTPChunkCookieAck const*) {
    return part(rules);
}
layer_hooks hooks(SCTPChunkShutdownComplete const*) {
    return part(rules);
}
layer_hooks hooks(SCTPChunkParamHeartbeatInfo const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamIPv4Addr const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamIPv6Addr const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamStateCookie const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamUnrocognizedParam const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamCookiePreservative const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamHostname const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamSupportedAddrTypes const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamRandom const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamChunkList const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamRequestedHMACFunctions const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamSupportedExtensions const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamECNCapable const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamFwdTSN const*) {
    return part(parameter_rules);
}
layer_hooks hooks(SCTPChunkParamAdaptationLayer const*) {
    return part(parameter_rules);
}

}  // namespace sonde::inline v0
