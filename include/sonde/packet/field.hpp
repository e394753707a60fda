#pragma once

#include <sonde/packet/random.hpp>
#include <sonde/packet/value.hpp>

#include <concepts>
#include <limits>
#include <string>
#include <utility>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// Asks for what is computed: `ip.chksum = automatic`.
struct automatic_t {
    explicit constexpr automatic_t() = default;
};
/// The value to write: `automatic`.
inline constexpr automatic_t automatic{};

/// What a field holds.
enum class field_state : std::uint8_t {
    computed,  ///< automatic: filled in when the packet is built or sent
    single,    ///< one value
    list,      ///< a set: each of some values
    range,     ///< a set: first to last, both included, by a step
    network,   ///< a set: every address of a CIDR network, first and last included
    name,      ///< a host name, resolved when the packet is sent
    interval,  ///< a random value between two, fresh for each packet
    choice,    ///< a random one of some values, fresh for each packet
    text,      ///< random text of a length, fresh for each packet
    kept,      ///< in a layer taken out of a packet for editing: the set that the packet has there
};

/// A set of numbers or addresses: `range(1, 4)` is 1, 2, 3, 4; `range(1, 10, 3)` is 1, 4, 7, 10.
template <class A>
struct range_of {
    /// The ends; `last` is met when a whole number of steps leads there.
    /// @{
    A first, last;
    /// @}
    std::uint64_t step = 1;  ///< from one to the next; not 0
};

/// Numbers, both ends included. Throws value_out_of_range when first > last, or step is 0.
template <std::integral A, std::integral B>
constexpr auto range(A first, B last, std::uint64_t step = 1) {
    using common = std::common_type_t<A, B>;
    if (std::cmp_greater(first, last)) throw_error(errc::value_out_of_range, "range: first > last");
    if (step == 0) throw_error(errc::value_out_of_range, "range: step 0");
    return range_of<common>{static_cast<common>(first), static_cast<common>(last), step};
}

/// An address range, both ends included: `range("198.18.0.9", "198.18.1.3")`. The text is borrowed until a
/// field is made of it, which reads it (bad_text, value_out_of_range); throws value_out_of_range when step is
/// 0.
inline range_of<std::string_view> range(std::string_view first, std::string_view last,
                                        std::uint64_t step = 1) {
    if (step == 0) throw_error(errc::value_out_of_range, "range: step 0");
    return {first, last, step};
}

/// The same of addresses. Throws value_out_of_range when first > last, or step is 0.
template <class A>
    requires(std::same_as<A, ipv4> || std::same_as<A, ipv6> || std::same_as<A, mac>)
constexpr range_of<A> range(A first, A last, std::uint64_t step = 1) {
    if (last < first) throw_error(errc::value_out_of_range, "range: first > last");
    if (step == 0) throw_error(errc::value_out_of_range, "range: step 0");
    return {first, last, step};
}

/// A long list that somebody else holds; see `values`.
template <class A>
struct borrowed_values {
    std::span<A const> items;  ///< must live until the packet is made
};

/// A list of any length, as a set. Borrowed: `items` must live until the packet is made.
template <class R>
    requires requires(R const& r) { std::span(r); }
auto values(R const& items) {
    using item = std::remove_cvref_t<decltype(*std::span(items).begin())>;
    return borrowed_values<item>{std::span<item const>(items)};
}

/// What a field holds, without its type: how the packet takes it over.
struct field_content {
    field_state state = field_state::computed;  ///< which of the others mean something
    std::uint64_t step = 1;  ///< range: the step; network: the prefix length; text: the length
    bool by_octet = false;   ///< interval: octet by octet; text: any octets, not letters only
    /// single: first; range, interval: both; network: first address
    /// @{
    wire_value first, last;
    /// @}
    std::string_view bytes;                ///< single octets; the name
    std::vector<wire_value> list;          ///< list, choice
    std::vector<std::string> texts;        ///< list, choice of octets; single octets and names that are owned
    std::vector<field_content> parts;      ///< list of sets, in order: `[1, (5, 9)]`
    std::vector<std::uint64_t> part_ends;  ///< of many parts: how many values the first 1, 2, … of them have
};

namespace detail {

template <class Native>
inline constexpr bool is_text_parsed =
    std::is_constructible_v<Native, std::string> && !std::same_as<Native, octets>;
template <class Native>
inline constexpr bool is_ip = std::same_as<Native, ipv4> || std::same_as<Native, ipv6>;

/// How many values a field keeps inside itself; longer lists are borrowed with `values`.
template <class Native>
inline constexpr std::size_t inline_values =
    std::max<std::size_t>(8, 64 / sizeof(Native) > 32 ? 32 : 64 / sizeof(Native));
template <>
inline constexpr std::size_t inline_values<octets> = 4;
template <>
inline constexpr std::size_t inline_values<ipv4> = 16;

/// RFC 1123 §2.1: letters, digits, hyphens (and underscores, which exist), 63 a label; not all digits.
constexpr bool is_host_name(std::string_view s) {
    if (s.empty() || s.size() > 127) return false;
    std::size_t label = 0;
    bool letter = false;
    for (char c : s) {
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        letter |= alpha;
        if (c == '.') {
            if (label == 0) return false;
            label = 0;
        } else if ((alpha || (c >= '0' && c <= '9') || (c == '-' && label > 0)) && label < 63) {
            ++label;
        } else {
            return false;
        }
    }
    return letter;
}

template <class T>
struct host_name_storage {
    static constexpr bool has = false;
};
template <class T>
    requires is_ip<T>
struct host_name_storage<T> {
    static constexpr bool has = true;
    char text[128]{};
};

[[noreturn]] void throw_out_of_range(long long value, unsigned bits);
[[noreturn]] void throw_out_of_range(unsigned long long value, unsigned bits);
[[noreturn]] void throw_not_single(field_state state);
[[noreturn]] void throw_long_list();
/// The item's values follow those that the list has.
void append_to_list(field_content& list, field_content item);

}  // namespace detail

/// A field of a layer: automatic, one value, a set of values, or a random value; see `field_state`.
///
/// T says how the field lies on the wire: std::uint8_t … std::uint64_t, bits<N>, enumerated, flag_set, ipv4,
/// ipv6, mac, octets. `Automatic` is the number that an automatic field shows when the packet is built alone.
///
/// Converts from numbers (throws value_out_of_range, never cuts), text (addresses, flags, names, host names;
/// literals are checked at compile time), `{a, b, c}`, `range`, `values`, CIDR text and `random_*`.
/// Trivially destructible, so that layers may be written inside co_await expressions (g++ 12).
template <class T, std::uint64_t Automatic = 0>
class field {
    using traits = value_traits<T>;

public:
    /// What a user reads: T itself, of `bits<N>` the smallest unsigned type that holds it.
    using native = typename traits::native;
    /// How many values a list holds inside the field; longer ones are borrowed, by `values`.
    static constexpr std::size_t capacity = detail::inline_values<native>;

    /// Automatic.
    /// @{
    constexpr field() = default;
    constexpr field(automatic_t) {}
    /// @}
    /// Stands for a set that the packet holds; for packets themselves.
    static constexpr field kept() {
        field f;
        f.state_ = field_state::kept;
        return f;
    }

    /// A number. Throws value_out_of_range when it is negative, or has more bits than the field.
    template <std::integral I>
        requires(traits::kind == value_kind::number || traits::kind == value_kind::flags)
    constexpr field(I number) : count_(1), state_(field_state::single) {
        values_[0] = checked(number);
    }

    /// A value of the field's own type: an address, flags, octets (borrowed until the packet is made).
    constexpr field(native const& value)
        requires(!std::integral<native>)
        : count_(1), state_(field_state::single) {
        values_[0] = value;
    }

    /// Text of the field's type: an address, a network ("198.18.0.0/24", a set), a host name, a MAC address,
    /// flags, a number's name. Checked at compile time.
    template <std::size_t N>
        requires detail::is_text_parsed<native>
    consteval field(char const (&text)[N]) {
        parse(std::string_view(text, N - 1));
    }

    /// The same at run time; throws `error` (bad_text) that names the text.
    template <runtime_text S>
        requires detail::is_text_parsed<native>
    constexpr field(S const& text) {
        parse(std::string_view(text));
    }

    /// Text or bytes as they are, borrowed until the packet is made.
    template <class S>
        requires(std::same_as<native, octets> && std::convertible_to<S const&, octets>)
    constexpr field(S const& text) : count_(1), state_(field_state::single) {
        values_[0] = octets(text);
    }

    /// A field of another layer: its single value, or its whole set.
    template <std::uint64_t D>
        requires(D != Automatic)
    constexpr field(field<T, D> const& other) {
        adopt(other);
    }

    /// A set of these, in this order: values, `range`s, networks and other sets, whose values count as if
    /// they were written out, and one host name. At most `capacity` of them, of which a range takes 3 and a
    /// network 2: checked at compile time, or set_too_large. Throws as each alone would, and
    /// not_a_single_value when one is a random value.
    template <class A, class B, class... C>
        requires(std::convertible_to<A const&, field> && std::convertible_to<B const&, field> &&
                 (std::convertible_to<C const&, field> && ...))
    constexpr field(A const& a, B const& b, C const&... c) : state_(field_state::list) {
        static_assert(2 + sizeof...(C) <= capacity, "too long for an inline list: use sonde::values(array)");
        add(a), add(b), (add(c), ...);
    }

    /// The same of literals, all checked at compile time.
    template <std::size_t A, std::size_t B, std::size_t... C>
        requires detail::is_text_parsed<native>
    consteval field(char const (&a)[A], char const (&b)[B], char const (&... c)[C])
        : state_(field_state::list) {
        static_assert(2 + sizeof...(C) <= capacity, "too long for an inline list: use sonde::values(array)");
        add(a), add(b), (add(c), ...);
    }

    /// A set, from `range`. Throws value_out_of_range when first > last, or one does not fit; bad_text for
    /// text that is no address.
    template <class A>
    constexpr field(range_of<A> const& r) : count_(2), state_(field_state::range), step_(r.step) {
        values_[0] = field(r.first).value();
        values_[1] = field(r.last).value();
        if (traits::to_wire(values_[1]) < traits::to_wire(values_[0]))
            throw_error(errc::value_out_of_range, "range: first > last");
    }

    /// A set, from `values`, of items as `{a, b}` takes them. They are read, and checked, when the packet is
    /// made; none at all are set_too_large then.
    template <class A>
    field(borrowed_values<A> const& b) : state_(field_state::list), borrowed_(b.items.data()) {
        count_ = static_cast<std::uint32_t>(b.items.size());
        append_ = [](void const* items, std::size_t i, field_content& list) {
            field(static_cast<A const*>(items)[i]).append_to(list);
        };
    }

    /// A random number or address, from `random_short`, `random_ip` …. Throws value_out_of_range when the
    /// last has more bits than the field.
    constexpr field(random_interval const& r)
        requires(!std::same_as<native, octets>)
        : count_(2), state_(field_state::interval), by_octet_(r.by_octet) {
        bool fits = traits::width > 64 || r.last.high == 0;
        if constexpr (traits::width < 64) fits = fits && r.last.low >> traits::width == 0;
        if (!fits) detail::throw_out_of_range(static_cast<unsigned long long>(r.last.low), traits::width);
        values_[0] = traits::from_wire(r.first);
        values_[1] = traits::from_wire(r.last);
    }

    /// One of a few values at random, from `random_choice`: at most `capacity`. Throws as each alone would.
    template <class A, std::size_t N>
    constexpr field(random_one_of<A, N> const& r) : state_(field_state::choice) {
        static_assert(N <= capacity);
        for (auto const& c : r.choices) put(one, field(c).value());
    }

    /// Random octets, from `random_string` or `random_bin`.
    constexpr field(random_text r)
        requires std::same_as<native, octets>
        : state_(field_state::text), by_octet_(r.binary), step_(r.length) {}

    /// The one value; an automatic field gives what it shows when built alone. Throws not_a_single_value for
    /// sets.
    constexpr native value() const {
        if (state_ == field_state::single) return values_[0];
        if (state_ == field_state::computed) return automatic_value();
        detail::throw_not_single(state_);
    }
    /// As `value`, and throws what that throws.
    constexpr operator native() const { return value(); }

    /// The same as its bits, without asking whether it is a single one.
    constexpr wire_value to_wire() const {
        if constexpr (std::same_as<native, octets>)
            return {};
        else
            return state_ == field_state::computed ? wire_value{0, Automatic} : traits::to_wire(values_[0]);
    }

    /// What it holds.
    constexpr field_state state() const { return state_; }
    /// True when it is computed as the packet is built or sent.
    constexpr bool is_automatic() const { return state_ == field_state::computed; }

    /// What an automatic field of this type shows when built alone; no octets, where it holds octets.
    static constexpr native automatic_value() {
        if constexpr (std::same_as<native, octets>)
            return {};
        else
            return traits::from_wire({0, Automatic});
    }

    /// Compare the one value; throw not_a_single_value for sets.
    /// @{
    friend constexpr bool operator==(field const& a, native const& b)
        requires(!std::integral<native>)
    {
        return a.value() == b;
    }
    template <std::integral I>
    friend constexpr bool operator==(field const& a, I b)
        requires(traits::kind == value_kind::number || traits::kind == value_kind::flags)
    {
        if constexpr (std::integral<native>)
            return std::cmp_equal(a.value(), b);
        else
            return std::cmp_equal(a.value().value, b);
    }
    /// @}
    /// The same with text, which is read first; throw bad_text for what the type does not know. Literals too
    /// are read at run time here, so that comparisons may pass through templates (test macros).
    /// @{
    template <std::size_t N>
        requires(detail::is_text_parsed<native> || std::same_as<native, octets>)
    friend constexpr bool operator==(field const& a, char const (&text)[N]) {
        return a.value() == native(std::string_view(text, N - 1));
    }
    template <runtime_text S>
        requires(detail::is_text_parsed<native> || std::same_as<native, octets>)
    friend constexpr bool operator==(field const& a, S const& b) {
        return a.value() == native(b);
    }
    /// @}
    /// The same with a field of another layer.
    template <std::uint64_t D>
    friend constexpr bool operator==(field const& a, field<T, D> const& b) {
        return a.value() == b.value();
    }

    /// What the field holds, for the packet that takes it over.
    void read(field_content& out) const {
        out.state = state_;
        out.by_octet = by_octet_;
        if (state_ == field_state::list || state_ == field_state::choice) {
            read_list(out);
            return;
        }
        out.step = step_;
        if constexpr (std::same_as<native, octets>) {
            if (state_ == field_state::single) out.bytes = values_[0].value;
        } else {
            if (state_ != field_state::computed) {
                out.first = traits::to_wire(values_[0]);
                out.last = traits::to_wire(values_[1]);
            }
            if constexpr (detail::host_name_storage<native>::has)
                if (state_ == field_state::name) out.bytes = name_.text;
        }
    }

    template <class, std::uint64_t>
    friend class field;

private:
    template <std::integral I>
    static constexpr native checked(I number) {
        constexpr unsigned width = traits::width;
        constexpr std::uint64_t limit =
            width >= 64 ? std::numeric_limits<std::uint64_t>::max() : (std::uint64_t(1) << width) - 1;
        if (std::cmp_less(number, 0)) detail::throw_out_of_range(static_cast<long long>(number), width);
        if (std::cmp_greater(number, limit))
            detail::throw_out_of_range(static_cast<unsigned long long>(number), width);
        return traits::from_wire({0, static_cast<std::uint64_t>(number)});
    }

    constexpr void parse(std::string_view text) {
        if constexpr (detail::is_ip<native>) {
            auto slash = text.find('/');
            auto address = native::parse(text.substr(0, slash));
            if (address && slash != text.npos) {
                auto length = detail::decimal(text.substr(slash + 1), traits::width);
                if (!length) throw_error(errc::bad_text, "prefix length in \"" + std::string(text) + "\"");
                state_ = field_state::network, count_ = 1, step_ = *length;
                values_[0] = masked(*address, *length);
                return;
            }
            if (!address && detail::is_host_name(text)) {
                state_ = field_state::name, count_ = 1;
                for (std::size_t i = 0; i < text.size(); ++i) name_.text[i] = text[i];
                return;
            }
        }
        state_ = field_state::single, count_ = 1;
        values_[0] = native(text);
    }

    static constexpr native masked(native address, unsigned length) {
        auto w = traits::to_wire(address);
        unsigned host = traits::width - length;
        if (host >= 64) {
            w.low = 0;
            w.high = host >= 128 ? 0 : w.high >> (host - 64) << (host - 64);
        } else {
            w.low = w.low >> host << host;
        }
        return traits::from_wire(w);
    }

    /// What begins at a place of `values_` in a list: two bits of `step_` each.
    enum item_kind : std::uint64_t {
        one = 0,        // a value
        whole = 1,      // a range: first, last, step
        prefix = 2,     // a network: first address, prefix length
        host_name = 3,  // the text in `name_`
    };
    static constexpr std::size_t room_of(item_kind what) {
        return what == whole ? 3 : what == prefix ? 2 : 1;
    }
    constexpr item_kind kind_at(std::size_t i) const { return static_cast<item_kind>(step_ >> 2 * i & 3); }

    template <class A>
    constexpr void add(A const& item) {
        if constexpr (std::is_array_v<A>)
            add_item(field(std::string_view(item)));
        else
            add_item(field(item));
    }

    constexpr void add_item(field const& f) {
        if constexpr (std::same_as<native, octets>) {
            put(one, f.value());
        } else if (f.state_ == field_state::range && f.leads_on()) {
            put(whole, f.values_[0], f.values_[1], traits::from_wire({0, f.step_}));
        } else if (f.state_ == field_state::range) {
            put(one, f.values_[0]);
        } else if (f.state_ == field_state::network) {
            put(prefix, f.values_[0], traits::from_wire({0, f.step_}));
        } else if (f.state_ == field_state::name) {
            for (std::size_t i = 0; i < count_; i += room_of(kind_at(i)))
                if (kind_at(i) == host_name) detail::throw_long_list();
            put(host_name, native());
            name_ = f.name_;
        } else if (f.state_ == field_state::list && !f.borrowed_) {
            for (std::size_t i = 0; i < f.count_; i += room_of(f.kind_at(i))) add_item(f.alone(i));
        } else {
            put(one, f.value());
        }
    }

    template <class... V>
    constexpr void put(item_kind what, V const&... values) {
        if (count_ + sizeof...(V) > capacity) detail::throw_long_list();
        if (count_ == 0) step_ = 0;
        step_ |= std::uint64_t(what) << 2 * count_;
        ((values_[count_++] = values), ...);
    }

    /// Of a range: it has a second value; so its step is one of the type, too.
    constexpr bool leads_on() const {
        auto first = traits::to_wire(values_[0]), last = traits::to_wire(values_[1]);
        bool const borrows = last.low < first.low;
        return last.high - first.high - borrows != 0 || last.low - first.low >= step_;
    }

    /// The item that begins at a place of a list, as a field of its own.
    constexpr field alone(std::size_t i) const {
        field f;
        f.count_ = 1, f.state_ = field_state::single, f.values_[0] = values_[i];
        if constexpr (!std::same_as<native, octets>) {
            if (kind_at(i) == whole) {
                f.count_ = 2, f.state_ = field_state::range, f.values_[1] = values_[i + 1];
                f.step_ = traits::to_wire(values_[i + 2]).low;
            } else if (kind_at(i) == prefix) {
                f.state_ = field_state::network, f.step_ = traits::to_wire(values_[i + 1]).low;
            } else if (kind_at(i) == host_name) {
                f.state_ = field_state::name, f.name_ = name_;
            }
        }
        return f;
    }

    void read_list(field_content& out) const {
        for (std::size_t i = 0; i < count_; i += borrowed_ ? 1 : room_of(kind_at(i)))
            if (borrowed_)
                append_(borrowed_, i, out);
            else if (kind_at(i) == one)
                append(values_[i], out);
            else
                alone(i).append_to(out);
    }

    void append_to(field_content& list) const {
        bool const is_set = state_ == field_state::range || state_ == field_state::network ||
                            state_ == field_state::name || state_ == field_state::list;
        if (!is_set) return append(value(), list);
        field_content content;
        read(content);
        detail::append_to_list(list, std::move(content));
    }

    static void append(native const& value, field_content& list) {
        if constexpr (std::same_as<native, octets>) {
            list.texts.emplace_back(value.value);
        } else if (list.parts.empty()) {
            list.list.push_back(traits::to_wire(value));
        } else {
            field_content content;
            content.state = field_state::single, content.first = traits::to_wire(value);
            detail::append_to_list(list, std::move(content));
        }
    }

    template <std::uint64_t D>
    constexpr void adopt(field<T, D> const& other) {
        count_ = other.count_, state_ = other.state_, by_octet_ = other.by_octet_, step_ = other.step_;
        borrowed_ = other.borrowed_, append_ = other.append_, name_ = other.name_;
        for (std::size_t i = 0; i < capacity; ++i) values_[i] = other.values_[i];
    }

    std::uint32_t count_ = 0;
    field_state state_ = field_state::computed;
    bool by_octet_ = false;
    std::uint64_t step_ = 1;  // of a list: what its items are
    void const* borrowed_ = nullptr;
    void (*append_)(void const* items, std::size_t i, field_content& list) = nullptr;
    [[no_unique_address]] detail::host_name_storage<native> name_{};
    native values_[capacity]{};
};

SONDE_NAMESPACE_END
