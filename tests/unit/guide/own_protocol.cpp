// The code of docs/guide/own-protocol.md, which quotes it; what it claims is checked here.
#include "support/catch.hpp"
#include "support/hex.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/checksum.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/match.hpp>
#include <sonde/packet/text.hpp>

using namespace sonde;

namespace {

std::string why(packet const& reply, packet const& sent) {
    auto r = dissect(reply.build(), link_type::ipv4), s = dissect(sent.build(), link_type::ipv4);
    auto verdict = match(r.view(), s.view());
    return verdict.value == match_verdict::yes ? "yes" : verdict.why;
}

bool same_key(packet const& reply, packet const& sent) {
    auto r = dissect(reply.build(), link_type::ipv4), s = dissect(sent.build(), link_type::ipv4);
    secret_key const secret{1, 2};
    return keys_of_answer(r.view(), secret)
        .contain(key_of_probe(s.view(), secret, false, key_reach::above), false);
}

}  // namespace

// --- six lines ---------------------------------------------------------------------------------------

namespace plain {

struct Greeting {
    field<std::uint32_t> token{};
    field<std::uint8_t> kind = 1;
    field<octets> text = "";
};
SONDE_LAYER(Greeting, token, kind, text)
SONDE_BIND(UDP, Greeting, dport, 4300)

}  // namespace plain

TEST_CASE("A protocol of six lines builds, dissects, prints, expands and reads like a built-in one") {
    using plain::Greeting;
    auto probes =
        IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / UDP{} / Greeting{.token = range(1, 3), .text = "hi"};
    CHECK(probes.size() == 3);
    auto bytes = probes[1].build();
    CHECK(support::hex(std::span(bytes).subspan(28)) == "00000002016869");
    auto read = dissect(bytes, link_type::ipv4);
    CHECK(read.get<UDP>().dport == 4300);
    CHECK(read.get<Greeting>().token == 2u);
    CHECK(read.get<Greeting>().text == "hi");
    CHECK(command(read).ends_with("/Greeting(token=2, kind=1, text=b'hi')"));
    CHECK(parse_packet("Greeting(token=[7, 8], text=b'hi')").size() == 2);
}

// --- answers, in one line ----------------------------------------------------------------------------

namespace answered {

struct Greeting {
    field<std::uint32_t> token{};
    field<std::uint8_t> kind = 1;
};
SONDE_DECLARE_LAYER(Greeting, token, kind)
bool answers(Greeting const& reply, Greeting const& sent) {
    return reply.kind == 2 && reply.token == sent.token;
}
SONDE_BIND(UDP, Greeting, dport, 4301)

}  // namespace answered

TEST_CASE("`answers` beside a layer says what counts as an answer") {
    using answered::Greeting;
    auto sent = IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / UDP{} / Greeting{.token = 7};
    auto back = IP{.dst = "192.0.2.2", .src = "192.0.2.1"} / UDP{.dport = 4301, .sport = 4301};
    sent.get<UDP>().sport = 4301;
    CHECK(why(back / Greeting{.token = 7, .kind = 2}, sent) == "yes");
    CHECK(why(back / Greeting{.token = 8, .kind = 2}, sent) == "Greeting does not answer the probe's");
    CHECK(why(back / Greeting{.token = 7, .kind = 1}, sent) != "yes");
}

// --- the whole ---------------------------------------------------------------------------------------

namespace whole {

// A list of tags, each a kind, a length and so many bytes.
struct survey_tag {
    std::uint8_t kind;
    std::string_view text;
};
std::string encoded(survey_tag const& tag) {
    if (tag.text.size() > 255) throw error(errc::value_out_of_range, "a tag of over 255 bytes");
    return std::string{static_cast<char>(tag.kind), static_cast<char>(tag.text.size())} +
           std::string(tag.text);
}
struct survey_tags : encoded_list<64> {
    survey_tags() = default;
    template <std::same_as<survey_tag>... Tag>
    survey_tags(Tag const&... tag) {
        (append(encoded(tag)), ...);
    }
    static option_codec const& codec();
};

// Bytes to `[(1, b'name'), ...]`. What is no whole tag stays as bytes, so that nothing is lost.
literal print_tags(std::span<std::byte const> bytes, std::span<std::byte const>) {
    std::string_view rest(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    literal::list list;
    while (rest.size() >= 2) {
        std::uint8_t kind = static_cast<std::uint8_t>(rest[0]), length = static_cast<std::uint8_t>(rest[1]);
        if (length > rest.size() - 2) break;
        list.items.push_back(
            literal::tuple{{std::uint64_t(kind), literal::bytes{std::string(rest.substr(2, length))}}});
        rest.remove_prefix(2u + length);
    }
    if (!rest.empty()) list.items.push_back(literal::bytes{std::string(rest)});
    return list;
}

// The reverse. A tag that cannot be is an error that names what would be right.
std::string read_tags(literal const& list, literal::call const*) {
    std::string bytes;
    for (auto const& item : list.as<literal::list>()->items) {
        auto const* pair = item.as<literal::tuple>();
        auto const* kind = pair && pair->items.size() == 2 ? pair->items[0].as<std::uint64_t>() : nullptr;
        auto const* text = kind ? pair->items[1].as<literal::bytes>() : nullptr;
        if (auto const* rest = item.as<literal::bytes>())
            bytes += rest->value;
        else if (text && *kind <= 255)
            bytes += encoded({static_cast<std::uint8_t>(*kind), text->value});
        else
            throw error(errc::bad_text, "a tag is (kind, b'text')");
    }
    return bytes;
}

option_codec const& survey_tags::codec() {
    static constexpr option_codec codec{.print = print_tags, .read = read_tags, .multiple_of = 1};
    return codec;
}

// What users set comes first; SONDE_LAYER tells the order on the wire.
struct survey_kinds {
    static constexpr std::array<value_name, 2> names{{{1, "question"}, {2, "reply"}}};
};
struct Survey {
    field<std::uint16_t> token{};
    field<enumerated<std::uint8_t, survey_kinds>> kind = "question";
    survey_tags tags{};
    field<std::uint8_t> len{};
    field<std::uint16_t> chksum{};
};
layer_hooks hooks(Survey const*);
SONDE_LAYER(Survey, kind, len, chksum, token, tags)
SONDE_BIND(UDP, Survey, dport, 4302)

// What the types do not say: `token` tells probes apart, `len` is the length of the header.
constexpr field_rule survey_rules[] = {
    {.field = "token", .identity = identity_part::id},
    {.field = "len", .measures = true},
    {.field = "chksum", .hexadecimal = true},
};

constexpr std::size_t smallest = 6;

// How long a header is, as it says itself; 0 for what cannot be one.
std::size_t survey_length(std::span<std::byte const> bytes) {
    auto length = bytes.size() < 2 ? smallest : std::to_integer<std::size_t>(bytes[1]);
    return length < smallest ? 0 : length;
}

// Called when the header and all that it carries are in place.
void survey_finish(build_step& step) {
    step.fill<&Survey::chksum>(0);
    internet_checksum sum;
    sum.add(step.header());
    step.fill<&Survey::chksum>(sum.finish());
}

// What a probe and its answers have in common: it finds the probe among millions.
void survey_key(layer_view const& layer, key_builder& key) {
    key.add(layer.get<&Survey::token>());
}

// The verdict, and why not.
match_verdict survey_answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.is<Survey>()) return match_verdict::mismatch("no survey");
    if (reply.get<&Survey::kind>() != 2) return match_verdict::mismatch("survey: not a reply");
    if (reply.get<&Survey::token>() != sent.get<&Survey::token>())
        return match_verdict::mismatch("survey: another token");
    return match_verdict::match();
}

layer_hooks hooks(Survey const*) {
    return {.title = "Survey protocol",
            .rules = survey_rules,
            .header_length = survey_length,
            .finish = survey_finish,
            .answers = survey_answers,
            .key = survey_key};
}

}  // namespace whole

TEST_CASE("A protocol with a checksum, a length and a list of tags fills in what is automatic") {
    using namespace whole;
    auto p = IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / UDP{} /
             Survey{.token = 0x1234, .tags = {survey_tag{1, "name"}, survey_tag{9, ""}}};
    auto bytes = p.build();
    auto header = std::span(bytes).subspan(28);
    CHECK(support::hex(header) == "010e06f3123401046e616d650900");
    internet_checksum sum;
    sum.add(header);
    CHECK(sum.finish() == 0);
    auto read = dissect(bytes, link_type::ipv4);
    CHECK(command(read).ends_with(
        "/Survey(kind=1, len=14, chksum=1779, token=4660, tags=[(1, b'name'), (9, b'')])"));
    CHECK(show(read).find("###[ Survey protocol ]### \n        kind      = question\n") != std::string::npos);
    CHECK(parse_packet(command(read)).build() == bytes);
    CHECK(parse_packet("Survey(chksum=1, len=99)").build().size() ==
          6);  // what is said is sent, however wrong
}

TEST_CASE("Tags that are cut or malformed stay as they came; impossible ones are refused") {
    using namespace whole;
    for (std::size_t length = 0; length <= 14; ++length) {
        auto p = Survey{.token = 7, .tags = {survey_tag{1, "name"}, survey_tag{9, ""}}} / Raw{.load = "x"};
        auto bytes = (UDP{} / p).build();
        bytes.resize(8 + length);
        auto read = dissect(bytes, link_type::ipv4);
        CHECK(parse_packet(command(read)).build() == bytes);
    }
    CHECK_THROWS_AS(parse_packet("Survey(tags=[(256, b'')])"), error);
    CHECK_THROWS_AS(parse_packet("Survey(tags=[(1, 2)])"), error);
    CHECK_THROWS_AS((Survey{.tags = survey_tag{1, std::string(300, 'x')}}), error);
}

TEST_CASE("A reply is found by its key and judged by its kind and token") {
    using namespace whole;
    auto sent = IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / UDP{.sport = 999} / Survey{.token = 7};
    auto back = IP{.dst = "192.0.2.2", .src = "192.0.2.1"} / UDP{.dport = 999, .sport = 4302};
    CHECK(why(back / Survey{.token = 7, .kind = "reply"}, sent) == "yes");
    CHECK(same_key(back / Survey{.token = 7, .kind = "reply"}, sent));
    CHECK(why(back / Survey{.token = 7}, sent) == "survey: not a reply");
    CHECK(why(back / Survey{.token = 8, .kind = "reply"}, sent) == "survey: another token");
    CHECK(!same_key(back / Survey{.token = 8, .kind = "reply"}, sent));
}

TEST_CASE("A binding to a number that the lower layer's field cannot hold is an error, not another number") {
    using plain::Greeting;
    CHECK_THROWS_WITH(detail::bind(describe<UDP>(), "dport", 65536 + 4390, describe<Greeting>()),
                      Catch::Contains("dport") && Catch::Contains("69926"));
    CHECK_THROWS(detail::bind(describe<UDP>(), "port", 4300, describe<Greeting>()));
    auto const other = (IP{} / UDP{.dport = 4390} / "hi").build();
    CHECK(!dissect(other, link_type::ipv4).has<Greeting>());
}
