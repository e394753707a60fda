#include <sonde/layers/ntp.hpp>

#include "../packet/reading.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

// --- fixed point -------------------------------------------------------------------------------------

constexpr std::uint64_t decimals = 10'000'000'000;  // more than enough for 32 bits

template <unsigned Bits>
std::string encoded(std::uint64_t whole, std::uint64_t fraction) {
    std::array<std::byte, Bits / 4> bytes{};
    write_bits(bytes, {0, 2 * Bits}, {0, whole << Bits | fraction});
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

template <unsigned Bits>
literal print(header bytes, header) {
    if (bytes.size() != Bits / 4)
        return literal::bytes{{reinterpret_cast<char const*>(bytes.data()), bytes.size()}};
    auto value = read_bits(bytes, {0, 2 * Bits}).low;
    auto whole = value >> Bits, fraction = value & ((std::uint64_t(1) << Bits) - 1);
    auto decimal = [](literal seconds) { return literal::call{"Decimal", {std::move(seconds)}, {}}; };
    if (fraction == 0) return decimal(whole);
    __extension__ using wide = unsigned __int128;
    auto digits = static_cast<std::uint64_t>((wide(fraction) * decimals + (wide(1) << (Bits - 1))) >> Bits);
    auto text = fmt::format("{}.{:010}", whole, digits);
    return decimal(text.substr(0, text.find_last_not_of('0') + 1));
}

/// The digits behind a point as a binary fraction, to the nearest.
template <unsigned Bits>
std::optional<std::uint64_t> fraction_of(std::string_view digits) {
    std::uint64_t n = 0, scale = decimals;
    for (char c : digits) {
        if (c < '0' || c > '9') return {};
        scale /= 10;
        n += static_cast<std::uint64_t>(c - '0') * scale;
    }
    __extension__ using wide = unsigned __int128;
    auto nearest = static_cast<std::uint64_t>(((wide(n) << Bits) + decimals / 2) / decimals);
    return std::min(nearest, (std::uint64_t(1) << Bits) - 1);  // the next second is another one
}

template <unsigned Bits>
std::string read(literal const& list, literal::call const*) {
    auto const& items = list.as<literal::list>()->items;
    auto const given = items.empty() ? literal() : items[0];
    auto const* decimal = given.as<literal::call>();  // Scapy's Decimal('1.5')
    bool is_decimal = decimal && decimal->name == "Decimal" && decimal->arguments.size() == 1;
    auto const& value = is_decimal ? decimal->arguments[0] : given;
    if (value.as<literal::none>()) return encoded<Bits>(0, 0);
    if (auto const* n = value.as<std::uint64_t>(); n && !(*n >> Bits)) return encoded<Bits>(*n, 0);
    auto const* text = detail::octets_of(value);
    if (text && value.as<literal::bytes>() && text->size() == Bits / 4) return *text;
    auto point = text ? std::min(text->find('.'), text->size()) : 0;
    auto whole = text ? detail::decimal(text->substr(0, point),
                                        static_cast<std::uint32_t>((std::uint64_t(1) << Bits) - 1))
                      : std::nullopt;
    auto fraction = whole && point < text->size() ? fraction_of<Bits>(text->substr(point + 1)) : 0;
    if (!whole || !fraction)
        detail::fail(errc::bad_text, value, "a time is seconds below 2^{}, or \"seconds.fraction\"", Bits);
    return encoded<Bits>(*whole, *fraction);
}

template <unsigned Bits>
constexpr option_codec codec_of{
    .print = print<Bits>, .read = read<Bits>, .text = true, .one = true, .typed = true, .multiple_of = 1};

// --- the message -------------------------------------------------------------------------------------

bool has_address(header h) {
    return h.size() < 2 || std::to_integer<unsigned>(h[1]) > 1;
}
bool has_name(header h) {
    return !has_address(h);
}
template <unsigned Width>
unsigned width(header) {
    return Width;
}
constexpr value_name leaps[] = {{0, "no warning"},
                                {1, "last minute of the day has 61 seconds"},
                                {2, "last minute of the day has 59 seconds"},
                                {3, "unknown (clock unsynchronized)"}};
constexpr field_rule rules[] = {
    {.field = "leap", .names = leaps},       {.field = "mode", .names = ntp_modes::names},
    {.field = "delay", .width = width<32>},  {.field = "dispersion", .width = width<32>},
    {.field = "id", .present = has_address}, {.field = "ref_id", .octets = 4, .present = has_name},
    {.field = "ref", .width = width<64>},    {.field = "orig", .width = width<64>},
    {.field = "recv", .width = width<64>},   {.field = "sent", .width = width<64>}};

constexpr std::size_t size = 48, origin = 24, transmit = 40, timestamp_size = 8;
enum mode : unsigned { symmetric_active = 1, symmetric_passive = 2, client = 3, server = 4, control = 6 };

/// Control and private messages have another form, and shorter ones are none.
std::size_t length(header h) {
    return h.size() < size || (std::to_integer<unsigned>(h[0]) & 7) >= control ? 0 : size;
}

/// A key and a digest are all that is read behind the header; extension fields stay bytes.
void follow(dissect_step& step) {
    constexpr std::size_t key = 4, digests[] = {16, 20, 32, 64};
    auto rest = std::min(step.rest.size(), step.limit);
    if (rest > key && std::ranges::find(digests, rest - key) != std::end(digests))
        step.next = &describe<NTPAuthenticator>();
}

/// Scapy has padding before the key, which nobody sends.
constexpr field_rule authenticator_rules[] = {{.field = "padding", .width = width<0>}};

/// The mode that answers this one (RFC 5905 §9.2).
unsigned answering(unsigned asked) {
    return asked == client ? unsigned(server) : asked == symmetric_active ? unsigned(symmetric_passive) : 0;
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (reply.header().size() < size) return match_verdict::mismatch("ntp header cut short");
    unsigned asked = sent.get<&NTPHeader::mode>(), got = reply.get<&NTPHeader::mode>();
    if (answering(asked) == 0)
        return match_verdict::mismatch(fmt::format("ntp mode {} has no answer", asked));
    if (got != answering(asked))
        return match_verdict::mismatch(fmt::format("ntp mode {}, expected {}", got, answering(asked)));
    if (!std::ranges::equal(reply.header().subspan(origin, timestamp_size),
                            sent.header().subspan(transmit, timestamp_size)))
        return match_verdict::mismatch("ntp origin timestamp is not our transmit timestamp");
    return match_verdict::match();
}

void key(layer_view const& v, key_builder& k) {
    auto at = static_cast<std::uint32_t>(8 * (k.is_reply() ? origin : transmit));
    k.add(read_bits(v.header(), {at, 64}));
}

void summarize(layer_view const& v, std::string& out) {
    unsigned mode = v.get<&NTPHeader::mode>();
    out += fmt::format("NTP v{}, {}", v.get<&NTPHeader::version>(), ntp_modes::names[mode & 7].name);
}

}  // namespace

ntp_timestamp::ntp_timestamp(std::uint32_t seconds, std::uint32_t fraction) {
    append(encoded<32>(seconds, fraction));
}
ntp_short::ntp_short(std::uint16_t seconds, std::uint16_t fraction) {
    append(encoded<16>(seconds, fraction));
}
option_codec const& ntp_timestamp::codec() {
    return codec_of<32>;
}
option_codec const& ntp_short::codec() {
    return codec_of<16>;
}

layer_hooks hooks(NTPAuthenticator const*) {
    return {.title = "Authenticator", .rules = authenticator_rules};
}
layer_hooks hooks(NTPHeader const*) {
    return {.rules = rules,
            .header_length = length,
            .follow = follow,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

}  // namespace sonde::inline v0
