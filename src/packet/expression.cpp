#include "scanner.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include <algorithm>
#include <iterator>

namespace sonde::inline v0 {
namespace {

using detail::scanner;
using detail::token;

constexpr std::size_t max_text = std::size_t(1) << 20;
// So that what repetition made, printed, is read back together with what stands around it.
constexpr std::size_t max_repeated = max_text - (std::size_t(32) << 10);
constexpr unsigned max_depth = 64;

/// Reads one expression. Recursion is bounded by `max_depth`.
class parser {
public:
    explicit parser(std::string_view text) : scan_(text) {}

    literal whole() {
        auto value = expression();
        if (scan_.peek().what != token::end) scan_.unexpected("'/' or the end");
        return value;
    }

private:
    /// Python's operators, the loosest first: | << + - and then, between layers and their parts, / and *.
    literal expression(std::size_t rank = 0) {
        static constexpr std::string_view levels[] = {"|", "<", "+-"};
        if (rank == std::size(levels)) return layers();
        auto value = expression(rank + 1);
        while (scan_.peek().what == token::mark &&
               levels[rank].find(scan_.peek().symbol) != std::string_view::npos) {
            auto const mark = scan_.take();
            if (mark.symbol == '<' && !scan_.accept('<')) scan_.unexpected("'<<'");
            combine(value, mark, expression(rank + 1));
        }
        return value;
    }

    /// product {"/" product}
    literal layers() {
        auto first = product();
        if (!is_mark('/')) return first;
        literal::stack stack;
        auto column = first.column;
        stack.layers.push_back(std::move(first));
        while (scan_.accept('/')) stack.layers.push_back(product());
        return placed(std::move(stack), column);
    }

    /// operand {"*" operand}: numbers; text, bytes and lists many times over
    literal product() {
        auto value = operand();
        while (is_mark('*')) {
            auto const mark = scan_.take();
            auto right = operand();
            if (value.as<std::uint64_t>()) std::swap(value, right);
            auto const* times = right.as<std::uint64_t>();
            if (!times) bad(mark.column, "one side of * is a number of times");
            if (value.as<std::uint64_t>())
                combine(value, mark, right);
            else
                repeat(value, *times, mark.column);
        }
        return value;
    }

    /// Takes `right` into the left operand.
    static void combine(literal& left, token const& mark, literal right) {
        if (auto* a = std::get_if<std::uint64_t>(&left.value))
            if (auto const* b = right.as<std::uint64_t>()) return calculate(*a, mark, *b);
        bool const same = left.value.index() == right.value.index() && mark.symbol == '+';
        if (auto* text = std::get_if<std::string>(&left.value); text && same)
            *text += std::get<std::string>(right.value);
        else if (auto* bytes = std::get_if<literal::bytes>(&left.value); bytes && same)
            bytes->value += std::get<literal::bytes>(right.value).value;
        else if (auto* list = std::get_if<literal::list>(&left.value); list && same)
            std::ranges::move(std::get<literal::list>(right.value).items, std::back_inserter(list->items));
        else
            bad(mark.column, fmt::format("no such values on both sides of '{}'", mark.symbol));
    }

    static void calculate(std::uint64_t& a, token const& mark, std::uint64_t b) {
        bool over = false;
        switch (mark.symbol) {
            case '|': a |= b; break;
            case '<':
                over = b > 63 || a << b >> b != a;
                a <<= b & 63;
                break;
            case '+': over = __builtin_add_overflow(a, b, &a); break;
            case '-': over = __builtin_sub_overflow(a, b, &a); break;
            default: over = __builtin_mul_overflow(a, b, &a);
        }
        if (over) bad(mark.column, "a result below 0, or over 2^64 - 1");
    }

    /// How long it is when it is printed, without its quotes or brackets.
    static std::size_t printed_size(literal const& value) {
        auto const size = to_python(value).size();
        return size - std::min<std::size_t>(size, value.as<literal::bytes>() ? 3 : 2);
    }

    template <class Sequence>
    static void repeat_items(Sequence& all, std::uint64_t times) {
        auto const once = all;
        all.clear();
        for (std::uint64_t i = 0; i < times; ++i) all.insert(all.end(), once.begin(), once.end());
    }

    void repeat(literal& value, std::uint64_t times, std::uint32_t column) {
        auto* text = std::get_if<std::string>(&value.value);
        if (auto* bytes = std::get_if<literal::bytes>(&value.value)) text = &bytes->value;
        auto* list = std::get_if<literal::list>(&value.value);
        if (!text && !list) bad(column, "only text, bytes and lists can be repeated");
        if (text ? text->empty() : list->items.empty()) return;
        auto const each = printed_size(value);
        if (times != 0 && each > (max_repeated - repeated_) / times)
            bad(column, "repeated text of over 1 MiB, as it prints");
        repeated_ += each * times;
        text ? repeat_items(*text, times) : repeat_items(list->items, times);
    }

    literal operand() {
        auto column = scan_.peek().column;
        switch (scan_.peek().what) {
            case token::name: return name();
            case token::number: return placed(scan_.take().number_, column);
            case token::fraction: return placed(literal::call{"Decimal", {scan_.take().value}, {}}, column);
            case token::text:
            case token::bytes: return string();
            case token::mark:
                if (is_mark('(')) return parenthesis();
                if (is_mark('[')) return list();
                if (is_mark('-')) return negative();
                break;
            case token::end: break;
        }
        scan_.unexpected("a layer or a value");
    }

    /// Strings beside each other are one, as in Python.
    literal string() {
        auto first = scan_.take();
        while (scan_.peek().what == first.what) first.value += scan_.take().value;
        if (scan_.peek().what == token::text || scan_.peek().what == token::bytes)
            bad(scan_.peek().column, "text beside bytes");
        if (first.what == token::bytes) return placed(literal::bytes{std::move(first.value)}, first.column);
        return placed(std::move(first.value), first.column);
    }

    literal negative() {
        auto column = scan_.take().column;
        auto n = scan_.peek();
        if (n.what != token::number) scan_.unexpected("a number");
        if (n.number_ > std::uint64_t(1) << 63) bad(column, "a number below -2^63");
        scan_.take();
        literal value;
        value.value = static_cast<std::int64_t>(0 - n.number_);
        if (n.number_ == 0) value.value = std::uint64_t(0);
        value.column = column;
        return value;
    }

    literal name() {
        auto word = scan_.take();
        if (word.value == "None") return placed(literal::none{}, word.column);
        if (word.value == "True") return placed(literal::boolean(true), word.column);
        if (word.value == "False") return placed(literal::boolean(false), word.column);
        if (!is_mark('(')) scan_.unexpected("'(' after " + escape(word.value));
        return call(std::move(word));
    }

    literal call(token word) {
        auto guard = enter();
        literal::call c{std::move(word.value), {}, {}};
        items(')', [&] { argument(c); });
        return placed(std::move(c), word.column);
    }

    void argument(literal::call& c) {
        auto column = scan_.peek().column;
        if (scan_.at_keyword()) {
            auto word = scan_.take();
            scan_.accept('=');
            auto value = expression();
            value.column = column;  // what is wrong is told at the field's name
            c.keywords.emplace_back(std::move(word.value), std::move(value));
            return;
        }
        if (!c.keywords.empty()) bad(column, "a value without a name after one with");
        c.arguments.push_back(expression());
    }

    literal list() {
        auto column = scan_.peek().column;
        auto guard = enter();
        literal::list l;
        items(']', [&] { l.items.push_back(expression()); });
        return placed(std::move(l), column);
    }

    /// (a) is a; (), (a,) and (a, b) are tuples.
    literal parenthesis() {
        auto column = scan_.peek().column;
        auto guard = enter();
        literal::tuple t;
        bool comma = items(')', [&] { t.items.push_back(expression()); });
        if (t.items.size() == 1 && !comma) return std::move(t.items.front());
        return placed(std::move(t), column);
    }

    /// Items, commas between, up to the closing mark. True when the last thing before it was a comma.
    template <class Item>
    bool items(char closing, Item const& item) {
        scan_.take();
        bool comma = false;
        while (!scan_.accept(closing)) {
            item();
            comma = scan_.accept(',');
            if (!comma && !is_mark(closing)) scan_.unexpected(fmt::format("',' or '{}'", closing));
        }
        return comma;
    }

    bool is_mark(char symbol) const {
        return scan_.peek().what == token::mark && scan_.peek().symbol == symbol;
    }

    template <class T>
    static literal placed(T value, std::uint32_t column) {
        literal l(std::move(value));
        l.column = column;
        return l;
    }

    [[noreturn]] static void bad(std::uint32_t column, std::string_view what) {
        throw error(errc::bad_expression, fmt::format("column {}: {}", column, what));
    }

    struct level {
        unsigned& depth;
        explicit level(unsigned& d) : depth(d) { ++depth; }
        ~level() { --depth; }
        level(level const&) = delete;
        level& operator=(level const&) = delete;
    };
    level enter() {
        if (depth_ == max_depth)
            bad(scan_.peek().column, fmt::format("more than {} levels of brackets", max_depth));
        return level(depth_);
    }

    scanner scan_;
    unsigned depth_ = 0;
    std::size_t repeated_ = 0;  // characters of text that repetition made, as it prints
};

}  // namespace

literal parse_literal(std::string_view text) {
    if (text.size() > max_text) throw error(errc::bad_expression, "an expression of over 1 MiB");
    return parser(text).whole();
}

}  // namespace sonde::inline v0
