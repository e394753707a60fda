#pragma once

#include <sonde/packet/packet.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

/// fmt formatters of packets, fields and the values in fields. Whatever they hold, the text is printable
/// ASCII.
///
///     fmt::print("{}\n", p);                              IP / TCP 192.0.2.1:ftp_data > 198.51.100.2:http SA
///     fmt::print("{:show}", p);                           every field of every layer
///     fmt::print("{:hex}\n", p);                          a hexdump of its bytes, as build() gives them
///     fmt::print("{:command}\n", p);                      the expression that makes it again
///     fmt::print("{}\n", p.get<IP>().src);                192.0.2.1

SONDE_NAMESPACE_BEGIN
namespace detail {

/// What a field holds, as text: its value (flags and addresses as text, numbers as numbers), or the values of
/// a set as Python writes them.
std::string field_text(value_kind kind, unsigned width, value_names names, field_content const& content,
                       std::uint64_t automatic_value = 0);

/// Values that convert to text take fill, alignment and width, as strings do.
template <class T>
struct text_formatter : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(T const& value, Context& context) const {
        return fmt::formatter<std::string_view>::format(value.to_string(), context);
    }
};

}  // namespace detail
SONDE_NAMESPACE_END

/// Packets as `{}`, `{:show}`, `{:hex}` and `{:command}`: `summary`, `show`, `hexdump` of the built bytes,
/// and `command`.
template <>
struct SONDE_API fmt::formatter<sonde::packet> {
    /// Throws fmt::format_error for any other style; in literal formats that is an error of compilation.
    constexpr auto parse(fmt::format_parse_context& context) {
        auto begin = context.begin(), end = begin;
        while (end != context.end() && *end != '}') ++end;
        std::string_view style(begin, static_cast<std::size_t>(end - begin));
        if (style == "show")
            style_ = 's';
        else if (style == "hex")
            style_ = 'h';
        else if (style == "command")
            style_ = 'c';
        else if (!style.empty())
            throw fmt::format_error("a packet formats as {}, {:show}, {:hex} or {:command}");
        return end;
    }
    /// Throws what the function of the style throws; `{:hex}`, what `packet::build` throws.
    fmt::format_context::iterator format(sonde::packet const& p, fmt::format_context& context) const;

private:
    char style_ = ' ';
};

/// A layer prints as the packet that is made of it alone.
template <sonde::layer L>
struct fmt::formatter<L> : fmt::formatter<sonde::packet> {
    /// Throws as packets do.
    fmt::format_context::iterator format(L const& layer, fmt::format_context& context) const {
        return fmt::formatter<sonde::packet>::format(sonde::packet(layer), context);
    }
};

/// As `to_string`; takes fill, alignment and width, as strings do.
template <>
struct fmt::formatter<sonde::ipv4> : sonde::detail::text_formatter<sonde::ipv4> {};
/// As `to_string`; takes fill, alignment and width, as strings do.
template <>
struct fmt::formatter<sonde::ipv6> : sonde::detail::text_formatter<sonde::ipv6> {};
/// As `to_string`; takes fill, alignment and width, as strings do.
template <>
struct fmt::formatter<sonde::mac> : sonde::detail::text_formatter<sonde::mac> {};
/// As `to_string`; takes fill, alignment and width, as strings do.
template <>
struct fmt::formatter<sonde::ip_address> : sonde::detail::text_formatter<sonde::ip_address> {};

/// Bytes as escaped text.
template <>
struct SONDE_API fmt::formatter<sonde::octets> : fmt::formatter<std::string_view> {
    /// As `escape`; fill, alignment and width count what is printed.
    fmt::format_context::iterator format(sonde::octets const& bytes, fmt::format_context& context) const;
};

/// Flags as text: "SA", "MF+DF".
template <class Names>
struct fmt::formatter<sonde::flag_set<Names>> : fmt::formatter<std::string_view> {
    /// Lowest bit first; fill, alignment and width as with strings.
    template <class Context>
    auto format(sonde::flag_set<Names> const& flags, Context& context) const {
        sonde::field_content c;
        c.state = sonde::field_state::single;
        c.first = {0, flags.value};
        using traits = sonde::value_traits<sonde::flag_set<Names>>;
        return fmt::formatter<std::string_view>::format(
            sonde::detail::field_text(traits::kind, traits::width, traits::names, c), context);
    }
};

/// A number that has names prints as the number.
template <class T, class Names>
struct fmt::formatter<sonde::enumerated<T, Names>> : fmt::formatter<T> {
    /// In the styles of numbers: `{:#x}`.
    template <class Context>
    auto format(sonde::enumerated<T, Names> const& number, Context& context) const {
        return fmt::formatter<T>::format(number.value, context);
    }
};

/// Options as a list.
template <sonde::list_member Options>
struct fmt::formatter<Options> : fmt::formatter<std::string_view> {
    /// As Python writes it, `[('MSS', 1460)]`; fill, alignment and width as with strings.
    template <class Context>
    auto format(Options const& options, Context& context) const {
        return fmt::formatter<std::string_view>::format(
            sonde::to_python(Options::codec().print(options.bytes(), options.bytes())), context);
    }
};

/// A field prints as the value it holds; an automatic one as the value it has when built alone.
template <class T, std::uint64_t Automatic>
struct fmt::formatter<sonde::field<T, Automatic>> : fmt::formatter<std::string_view> {
    /// A set as Python writes it. Fill, alignment and width as with strings, of numbers too.
    template <class Context>
    auto format(sonde::field<T, Automatic> const& field, Context& context) const {
        using traits = sonde::value_traits<T>;
        sonde::field_content c;
        field.read(c);
        return fmt::formatter<std::string_view>::format(
            sonde::detail::field_text(traits::kind, traits::width, traits::names, c, Automatic), context);
    }
};
