#pragma once

#include <sonde/detail/namespace.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// A value as Scapy's expressions write it (a Python literal): what fields print as and are read from,
/// whatever their type. JSON and `command` output are two spellings of it.
struct literal {
    /// `None`
    struct none {};
    /// `(a, b)`: an inclusive range where a field takes one, else an entry of an option list.
    struct tuple {
        std::vector<literal> items;  ///< in the order of the text
    };
    /// `[a, b]`: a set, or the entries of an option list.
    struct list {
        std::vector<literal> items;  ///< in the order of the text
    };
    /// `b'..'`; text without the `b` is a std::string.
    struct bytes {
        std::string value;  ///< the bytes themselves, escapes read
    };
    /// `Net("10.0.0.0/8")`, `RandShort()`, or a nested layer: a name with arguments.
    struct call {
        std::string name;                ///< as written; `make_packet` and `read_value` look it up
        std::vector<literal> arguments;  ///< those without names, which come first
        /// Those with names, in the order of the text.
        std::vector<std::pair<std::string, literal>> keywords;
    };
    /// `A/B/C`
    struct stack {
        std::vector<literal> layers;  ///< outermost first: calls, text and bytes
    };

    /// What it is; integers are std::int64_t only below 0.
    std::variant<none, bool, std::uint64_t, std::int64_t, std::string, bytes, list, tuple, call, stack> value;
    std::uint32_t column = 0;  ///< where it stood in the text, from 1; 0 when it was made by a program

    /// `None`
    literal() = default;
    /// A number, text or one of the kinds above, as made by a program.
    /// @{
    literal(std::uint64_t number) : value(number) {}
    literal(std::string text) : value(std::move(text)) {}
    literal(std::string_view text) : value(std::string(text)) {}
    literal(char const* text) : value(std::string(text)) {}
    template <class T>
        requires(std::is_same_v<T, none> || std::is_same_v<T, bytes> || std::is_same_v<T, list> ||
                 std::is_same_v<T, tuple> || std::is_same_v<T, call> || std::is_same_v<T, stack>)
    literal(T v) : value(std::move(v)) {}
    /// @}
    /// A boolean; not a constructor, so that no pointer becomes one.
    static literal boolean(bool b) {
        literal l;
        l.value = b;
        return l;
    }

    /// The value if it is a T, else null: `value.as<std::uint64_t>()`. Nothing is converted.
    template <class T>
    T const* as() const {
        return std::get_if<T>(&value);
    }
};

SONDE_NAMESPACE_END
