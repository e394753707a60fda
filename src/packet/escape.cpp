#include <sonde/packet/escape.hpp>

namespace sonde::inline v0 {
namespace {

constexpr char digits[] = "0123456789abcdef";

bool is_printable(char c) {
    return c >= 0x20 && c < 0x7f;
}

void append_octet(std::string& out, std::string_view prefix, char c) {
    auto octet = static_cast<unsigned char>(c);
    out += prefix;
    out += digits[octet >> 4];
    out += digits[octet & 15];
}

}  // namespace

std::string escape(std::string_view bytes) {
    std::string out;
    detail::append_escaped(out, bytes);
    return out;
}

namespace detail {

void append_escaped(std::string& out, std::string_view bytes) {
    for (char c : bytes) {
        if (c == '\\')
            out += "\\\\";
        else if (is_printable(c))
            out += c;
        else
            append_octet(out, "\\x", c);
    }
}

void append_python_quoted(std::string& out, std::string_view bytes) {
    bool has_single = bytes.find('\'') != bytes.npos, has_double = bytes.find('"') != bytes.npos;
    char quote = has_single && !has_double ? '"' : '\'';
    out += quote;
    for (char c : bytes) switch (c) {
            case '\\': out += "\\\\"; break;
            case '\t': out += "\\t"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            default:
                if (!is_printable(c)) {
                    append_octet(out, "\\x", c);
                    break;
                }
                if (c == quote) out += '\\';
                out += c;
        }
    out += quote;
}

void append_json_quoted(std::string& out, std::string_view bytes) {
    out += '"';
    for (char c : bytes) {
        if (!is_printable(c)) {
            append_octet(out, "\\u00", c);
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

void append_hex(std::string& out, std::string_view bytes) {
    for (char c : bytes) append_octet(out, {}, c);
}

}  // namespace detail
}  // namespace sonde::inline v0
