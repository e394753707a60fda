#include <sonde/packet/escape.hpp>
#include <sonde/packet/text.hpp>

namespace sonde::inline v0 {
namespace {

/// Items between brackets.
class python_writer {
public:
    explicit python_writer(std::string& out) : out_(out) {}

    void operator()(literal::none) { out_ += "None"; }
    void operator()(bool b) { out_ += b ? "True" : "False"; }
    void operator()(std::uint64_t n) { out_ += std::to_string(n); }
    void operator()(std::int64_t n) { out_ += std::to_string(n); }
    void operator()(std::string const& s) { detail::append_python_quoted(out_, s); }
    void operator()(literal::bytes const& b) {
        out_ += 'b';
        detail::append_python_quoted(out_, b.value);
    }
    void operator()(literal::list const& l) {
        out_ += '[';
        items(l.items, holds_layers(l) ? "," : ", ");
        out_ += ']';
    }
    void operator()(literal::tuple const& t) {
        out_ += '(';
        items(t.items, ", ");
        out_ += t.items.size() == 1 ? ",)" : ")";
    }
    void operator()(literal::call const& c) {
        out_ += c.name;
        out_ += '(';
        items(c.arguments, ", ");
        auto separator = c.arguments.empty() ? "" : ", ";
        for (auto const& [name, value] : c.keywords) {
            out_ += separator;
            out_ += name;
            out_ += '=';
            detail::append_python(out_, value);
            separator = ", ";
        }
        out_ += ')';
    }
    void operator()(literal::stack const& s) { items(s.layers, "/"); }

private:
    // Scapy writes lists of layers without blanks, other lists with.
    static bool holds_layers(literal::list const& l) {
        return !l.items.empty() &&
               (l.items.front().as<literal::call>() || l.items.front().as<literal::stack>());
    }
    void items(std::vector<literal> const& all, char const* separator) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (i > 0) out_ += separator;
            detail::append_python(out_, all[i]);
        }
    }

    std::string& out_;
};

}  // namespace

void detail::append_python(std::string& out, literal const& value) {
    std::visit(python_writer(out), value.value);
}

std::string to_python(literal const& value) {
    std::string out;
    detail::append_python(out, value);
    return out;
}

}  // namespace sonde::inline v0
