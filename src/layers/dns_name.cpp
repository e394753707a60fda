#include "dns_name.hpp"

#include <sonde/error.hpp>
#include <sonde/layers/dns_name.hpp>

#include "../packet/reading.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {
namespace detail {
namespace {

constexpr std::size_t longest_name = 255, longest_label = 63;

void append_escaped(std::string& out, char c) {
    auto octet = static_cast<unsigned char>(c);
    if (c == '.' || c == '\\')
        out += {'\\', c};
    else if (octet > 0x20 && octet < 0x7f)
        out += c;
    else
        fmt::format_to(std::back_inserter(out), "\\{:03}", octet);
}

}  // namespace

std::optional<read_name> read_domain_name(std::span<std::byte const> message, std::size_t at) {
    auto octet = [&](std::size_t i) { return std::to_integer<std::size_t>(message[i]); };
    read_name name;
    std::size_t length = 1, end = 0;  // end: behind the name where it stands; 0 until a pointer was met
    for (auto before = at; at < message.size();) {
        auto label = octet(at);
        if (label >= 0xc0) {
            if (at + 1 >= message.size()) return {};
            auto to = (label & 0x3f) << 8 | octet(at + 1);
            if (end == 0) end = at + 2;
            if (to >= before) return {};  // only backwards, so that every chain ends
            at = before = to;
            name.size = end;
            continue;
        }
        if (label > longest_label || at + 1 + label > message.size()) return {};
        if (label == 0) {
            if (name.text.empty()) name.text = ".";
            name.size = end ? end : at + 1;
            return name;
        }
        if ((length += label + 1) > longest_name) return {};
        for (std::size_t i = 0; i < label; ++i)
            append_escaped(name.text, static_cast<char>(message[at + 1 + i]));
        name.text += '.';
        at += label + 1;
    }
    return {};
}

namespace {

/// One character of a name's text, escapes read; `rest` moves on.
char next_character(std::string_view& rest) {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c != '\\' || rest.empty()) return c;
    auto digit = [&](std::size_t i) {
        return i < rest.size() && rest[i] >= '0' && rest[i] <= '9' ? rest[i] - '0' : -1;
    };
    if (digit(0) >= 0 && digit(1) >= 0 && digit(2) >= 0) {
        auto value = digit(0) * 100 + digit(1) * 10 + digit(2);
        if (value > 255) throw error(errc::bad_text, fmt::format("\\{} in a domain name", rest.substr(0, 3)));
        rest.remove_prefix(3);
        return static_cast<char>(value);
    }
    c = rest.front();
    rest.remove_prefix(1);
    return c;
}

}  // namespace

std::string write_domain_name(std::string_view text) {
    std::string out, label;
    auto refuse = [&](std::string_view why) {
        throw error(errc::bad_text, fmt::format("domain name \"{}\": {}", escape(text), why));
    };
    auto end_label = [&] {
        if (label.size() > longest_label) refuse("a label of over 63 bytes");
        out += static_cast<char>(label.size());
        out += label;
        label.clear();
    };
    if (text == ".") text = {};
    for (auto rest = text; !rest.empty();) {
        bool dot = rest.front() == '.';
        char c = next_character(rest);
        if (!dot) label += c;
        if (dot && label.empty()) refuse("an empty label");
        if (dot) end_label();
    }
    if (!label.empty()) end_label();
    out += '\0';
    if (out.size() > longest_name) refuse("over 255 bytes");
    return out;
}

}  // namespace detail

namespace {

using header = std::span<std::byte const>;

literal print_names(header bytes, header) {
    literal::list list;
    std::size_t at = 0;
    while (at < bytes.size() && bytes[at] != std::byte(0)) {
        auto name = detail::read_domain_name(bytes, at);
        if (!name || name->size <= at) break;
        list.items.emplace_back(name->text);
        at = name->size;
    }
    bool padding = bytes.size() - at < 8;
    for (auto b : bytes.subspan(at)) padding &= b == std::byte(0);
    if (!padding)
        list.items.emplace_back(
            literal::bytes{{reinterpret_cast<char const*>(bytes.data()) + at, bytes.size() - at}});
    return list;
}

std::string read_names(literal const& list, literal::call const*) {
    std::string out;
    for (auto const& item : list.as<literal::list>()->items) {
        auto const* text = item.as<std::string>();
        auto const* bytes = item.as<literal::bytes>();
        if (!text && !bytes)
            detail::fail(errc::bad_text, item, "a list of domain names, not of {}", detail::kind_of(item));
        out += text ? detail::write_domain_name(*text) : bytes->value;
    }
    return out;
}

literal print_name(header bytes, header) {
    auto name = detail::read_domain_name(bytes, 0);
    if (!name || name->size != bytes.size())
        return literal::bytes{{reinterpret_cast<char const*>(bytes.data()), bytes.size()}};
    return name->text;
}

/// Text; or the bytes of the text, as Scapy prints names.
std::string read_name_text(literal const& value, literal::call const*) {
    auto const& items = value.as<literal::list>()->items;
    auto const* text = items.size() == 1 ? detail::octets_of(items[0]) : nullptr;
    if (!text) detail::fail(errc::bad_text, value, "a domain name is text, not {}", detail::kind_of(value));
    return detail::write_domain_name(*text);
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

void domain_name::assign_text(std::string_view text) {
    append(detail::write_domain_name(text));
}

std::string domain_name::to_string() const {
    auto name = detail::read_domain_name(bytes(), 0);
    return name ? name->text : std::string();
}

bool domain_name::equals(std::string_view text) const {
    return std::ranges::equal(view(), detail::write_domain_name(text), {}, lower, lower);
}

option_codec const& domain_name::codec() {
    static constexpr option_codec codec{
        .print = print_name, .read = read_name_text, .one = true, .multiple_of = 1};
    return codec;
}

void padded_domain_names::add(std::string_view name) {
    append(detail::write_domain_name(name));
}

option_codec const& padded_domain_names::codec() {
    static constexpr option_codec codec{
        .print = print_names, .read = read_names, .leads = true, .multiple_of = 8};
    return codec;
}

}  // namespace sonde::inline v0
