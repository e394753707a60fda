#include <sonde/layers/asn1.hpp>
#include <sonde/packet/text.hpp>

#include "../packet/reading.hpp"
#include "asn1_codec.hpp"
#include "ber.hpp"

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;
using detail::fail;

std::string_view text_of(header bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}
std::string encoded(asn1_tag type, std::string_view contents) {
    return detail::ber_head(static_cast<unsigned>(type), contents.size()).append(contents);
}

// --- what the contents of a type mean ----------------------------------------------------------------

enum class form { number, octets, oid, address, nothing };

struct type_name {
    asn1_tag tag;
    std::string_view name;
    form contents;
};
constexpr type_name types[] = {{asn1_tag::boolean, "ASN1_BOOLEAN", form::number},
                               {asn1_tag::integer, "ASN1_INTEGER", form::number},
                               {asn1_tag::octet_string, "ASN1_STRING", form::octets},
                               {asn1_tag::null, "ASN1_NULL", form::nothing},
                               {asn1_tag::oid, "ASN1_OID", form::oid},
                               {asn1_tag::ip_address, "ASN1_IPADDRESS", form::address},
                               {asn1_tag::counter32, "ASN1_COUNTER32", form::number},
                               {asn1_tag::gauge32, "ASN1_GAUGE32", form::number},
                               {asn1_tag::time_ticks, "ASN1_TIME_TICKS", form::number},
                               {asn1_tag::opaque, "ASN1_OPAQUE", form::octets},
                               {asn1_tag::counter64, "ASN1_COUNTER64", form::number},
                               {asn1_tag::no_such_object, "ASN1_NO_SUCH_OBJECT", form::nothing},
                               {asn1_tag::no_such_instance, "ASN1_NO_SUCH_INSTANCE", form::nothing},
                               {asn1_tag::end_of_mib_view, "ASN1_END_OF_MIB_VIEW", form::nothing}};
constexpr std::string_view unknown = "ASN1_BADTAG";

std::string_view name_of(asn1_tag type) {
    auto found = std::ranges::find(types, type, &type_name::tag);
    return found == std::end(types) ? unknown : found->name;
}

literal number_of(detail::ber_number const& n) {
    literal value;
    if (n.negative)
        value.value.emplace<std::int64_t>(static_cast<std::int64_t>(n.low));
    else
        value.value.emplace<std::uint64_t>(n.low);
    return value;
}

/// The argument of the call that a value prints as; nothing when the contents do not fit the type.
std::optional<literal> argument_of(form f, header contents) {
    switch (f) {
        case form::number:
            if (auto n = detail::read_ber_integer(contents)) return number_of(*n);
            return {};
        case form::octets: return literal(literal::bytes{std::string(text_of(contents))});
        case form::oid:
            if (auto text = detail::read_ber_oid(contents)) return literal(*text);
            return {};
        case form::address:
            if (contents.size() != 4) return {};
            return literal(value_traits<ipv4>::from_wire(read_bits(contents, {0, 32})).to_string());
        case form::nothing: break;
    }
    return literal();
}

std::optional<std::string> number_contents(literal const& value, value_names names) {
    if (auto const* n = value.as<std::uint64_t>()) return detail::ber_integer(*n, false);
    if (auto const* i = value.as<std::int64_t>())
        return detail::ber_integer(static_cast<std::uint64_t>(*i), *i < 0);
    if (auto const* b = value.as<bool>()) return detail::ber_integer(*b, false);
    auto const* text = value.as<std::string>();
    auto found = text ? std::ranges::find(names, *text, &value_name::name) : names.end();
    if (found == names.end()) return {};
    return detail::ber_integer(found->value, false);
}

/// The reverse of argument_of.
std::optional<std::string> contents_of(form f, literal const& value, value_names names) {
    auto const* text = detail::octets_of(value);
    switch (f) {
        case form::number: return number_contents(value, names);
        case form::octets: return text ? std::optional(*text) : std::nullopt;
        case form::oid: return text ? detail::ber_oid(*text) : std::nullopt;
        case form::address: {
            auto address = text ? ipv4::parse(*text) : std::nullopt;
            if (!address) return {};
            std::array<std::byte, 4> bytes{};
            write_bits(bytes, {0, 32}, value_traits<ipv4>::to_wire(*address));
            return std::string(text_of(bytes));
        }
        case form::nothing: break;
    }
    auto const* zero = value.as<std::uint64_t>();
    bool nothing = value.as<literal::none>() || (zero && *zero == 0);
    return nothing ? std::optional(std::string()) : std::nullopt;
}

std::string encode(type_name const& type, literal const& value, value_names names = {}) {
    auto contents = contents_of(type.contents, value, names);
    if (!contents) fail(errc::bad_text, value, "{} cannot hold {}", type.name, escape(to_python(value)));
    return encoded(type.tag, *contents);
}

/// `ASN1_INTEGER(5)`, with the bytes when they are others than these.
std::string read_call(literal::call const& call, literal const& at, std::optional<asn1_tag> wanted,
                      value_names names) {
    literal const nothing;
    auto const& value = call.arguments.empty() ? nothing : call.arguments.front();
    if (call.name == unknown)
        if (auto const* bytes = detail::octets_of(value)) return *bytes;
    auto type = std::ranges::find(types, call.name, &type_name::name);
    bool known = type != std::end(types) && (!wanted || type->tag == *wanted) && call.arguments.size() <= 1;
    if (!known)
        fail(errc::bad_text, at, "{} is no {}(..)", escape(to_python(at)),
             wanted ? name_of(*wanted) : "ASN1_INTEGER");
    for (auto const& [name, item] : call.keywords)
        if (auto const* bytes = detail::octets_of(item); bytes && name == "ber") return *bytes;
    return encode(*type, value, names);
}

/// The type that a bare value has.
asn1_tag type_of(literal const& value) {
    if (detail::octets_of(value)) return asn1_tag::octet_string;
    return value.as<literal::none>() ? asn1_tag::null : asn1_tag::integer;
}

constexpr option_codec any_codec{
    .print = [](header bytes, header) { return detail::print_asn1(bytes); },
    .read = [](literal const& list, literal::call const*) { return detail::read_asn1(list, {}); },
    .text = true,
    .one = true,
    .typed = true,
    .multiple_of = 1};

}  // namespace

literal detail::print_asn1(header bytes) {
    auto value = read_ber(bytes);
    auto whole = literal::bytes{std::string(text_of(bytes))};
    auto type = value && value->size() == bytes.size()
                    ? std::ranges::find(types, static_cast<asn1_tag>(value->tag), &type_name::tag)
                    : std::end(types);
    auto argument = type == std::end(types) ? std::nullopt : argument_of(type->contents, value->contents);
    if (!argument) return literal::call{std::string(unknown), {whole}, {}};
    literal::call call{std::string(type->name), {}, {}};
    bool exact = encode(*type, *argument) == text_of(bytes);
    if (type->tag == asn1_tag::null || type->contents != form::nothing)
        call.arguments.push_back(std::move(*argument));
    if (!exact) call.keywords.emplace_back("ber", std::move(whole));
    return call;
}

std::string detail::read_asn1(literal const& list, std::optional<asn1_tag> wanted, value_names names) {
    auto const& items = list.as<literal::list>()->items;
    if (items.size() != 1) fail(errc::bad_text, list, "one value, not a list of {}", items.size());
    auto const& value = items.front();
    if (auto const* call = value.as<literal::call>()) return read_call(*call, value, wanted, names);
    auto type = std::ranges::find(types, wanted.value_or(type_of(value)), &type_name::tag);
    return encode(*type, value, names);
}

// --- the values as members of layers -----------------------------------------------------------------

void asn1_integer::encode(std::uint64_t low, bool negative) {
    append(encoded(asn1_tag::integer, detail::ber_integer(low, negative)));
}
std::optional<std::int64_t> asn1_integer::value() const {
    auto v = detail::read_ber(bytes());
    auto n = v && v->tag == 2 ? detail::read_ber_integer(v->contents) : std::nullopt;
    if (!n || (!n->negative && n->low >> 63)) return {};
    return static_cast<std::int64_t>(n->low);
}
option_codec const& asn1_integer::codec() {
    return detail::asn1_codec<asn1_tag::integer>;
}

asn1_string::asn1_string(std::string_view text) {
    append(encoded(asn1_tag::octet_string, text));
}
std::string_view asn1_string::value() const {
    auto v = detail::read_ber(bytes());
    return v && v->tag == 4 ? text_of(v->contents) : std::string_view();
}
option_codec const& asn1_string::codec() {
    return detail::asn1_codec<asn1_tag::octet_string>;
}

asn1_oid::asn1_oid(std::string_view text) {
    auto contents = detail::ber_oid(text);
    if (!contents) throw_error(errc::bad_text, "object identifier \"" + escape(text) + "\"");
    append(encoded(asn1_tag::oid, *contents));
}
std::string asn1_oid::to_string() const {
    auto v = detail::read_ber(bytes());
    return v && v->tag == 6 ? detail::read_ber_oid(v->contents).value_or("") : std::string();
}
bool asn1_oid::equals(std::string_view text) const {
    auto contents = detail::ber_oid(text);
    return contents && to_string() == detail::read_ber_oid(std::as_bytes(std::span(*contents)));
}
option_codec const& asn1_oid::codec() {
    return detail::asn1_codec<asn1_tag::oid>;
}

asn1_value::asn1_value(ipv4 address) {
    append(asn1_ip_address(address).view());
}
asn1_value::asn1_value(asn1_tag type, std::string_view contents) {
    append(encoded(type, contents));
}
void asn1_value::encode(asn1_tag type, std::uint64_t low, bool negative) {
    append(encoded(type, detail::ber_integer(low, negative)));
}
std::optional<std::int64_t> asn1_value::number() const {
    auto found = std::ranges::find(types, type(), &type_name::tag);
    auto v = detail::read_ber(bytes());
    if (!v || found == std::end(types) || found->contents != form::number) return {};
    auto n = detail::read_ber_integer(v->contents);
    if (!n) return {};
    return static_cast<std::int64_t>(n->low);
}
std::string_view asn1_value::contents() const {
    auto v = detail::read_ber(bytes());
    return v ? text_of(v->contents) : std::string_view();
}
std::string asn1_value::to_string() const {
    return to_python(detail::print_asn1(bytes()));
}
option_codec const& asn1_value::codec() {
    return any_codec;
}

asn1_ip_address::asn1_ip_address(ipv4 address) {
    std::array<std::byte, 4> bytes{};
    write_bits(bytes, {0, 32}, value_traits<ipv4>::to_wire(address));
    append(encoded(asn1_tag::ip_address, text_of(bytes)));
}
option_codec const& asn1_ip_address::codec() {
    return detail::asn1_codec<asn1_tag::ip_address>;
}
asn1_time_ticks::asn1_time_ticks(std::uint32_t hundredths) {
    append(encoded(asn1_tag::time_ticks, detail::ber_integer(hundredths, false)));
}
option_codec const& asn1_time_ticks::codec() {
    return detail::asn1_codec<asn1_tag::time_ticks>;
}

}  // namespace sonde::inline v0
