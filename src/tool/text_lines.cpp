#include "tool/text_lines.hpp"

#include "tool/text_options.hpp"

#include <sonde/packet/address.hpp>
#include <sonde/packet/escape.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

namespace sonde::inline v0::tool {

bool text_lines::read(std::string& line, bool& too_long) {
    auto& in = *streams_.in.rdbuf();
    line.clear();
    too_long = false;
    if (in.in_avail() <= 0) streams_.out.flush();  // who waits for an answer before the next line gets it
    constexpr auto end = std::char_traits<char>::eof();
    auto c = in.sbumpc();
    if (c == end) return false;
    for (; c != end && c != '\n'; c = in.sbumpc()) {
        if (line.size() < longest)
            line += static_cast<char>(c);
        else
            too_long = true;
    }
    ++number_;
    return true;
}

void text_lines::for_each(std::function<void(std::string const&)> const& each) {
    bool too_long = false;
    for (std::string line; streams_.out && read(line, too_long);) {
        if (too_long)
            error("a line of over 1 MiB");
        else if (line.find_first_not_of(" \t\r") != line.npos)
            guard([&] { each(line); });
    }
    streams_.out.flush();
}

void text_lines::guard(std::function<void()> const& action) {
    try {
        action();
    } catch (boost::system::system_error const& e) {
        error(message_of(e), e.code());
    } catch (std::bad_alloc const&) {
        error("out of memory");
    }
}

void text_lines::error(std::string_view message, error_code const& why) {
    status_ = std::max(status_, why.category() == boost::system::system_category() ? 3 : 1);
    if (!for_programs_) {
        if (number_) streams_.err << "line " << number_ << ": ";
        for (char c : message) streams_.err << (c >= 0x20 && c < 0x7f ? c : '?');
        streams_.err << '\n';
        return;
    }
    std::string line = "{\"error\":";
    sonde::detail::append_json_quoted(line, message);
    write(line += "}\n");
}

void text_lines::write(std::string_view text) {
    streams_.out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

int text_lines::exit_status() const {
    if (!streams_.out.flush()) {
        streams_.err << "sonde: the output cannot be written\n";
        return 3;
    }
    return status_;
}

std::string message_of(std::exception const& e) {
    std::string text = e.what();
    for (auto category : {" [sonde:", " [system:", " [generic:"})
        text.resize(std::min(text.size(), text.find(category)));
    return text;
}

std::vector<std::byte> parse_hex(std::string_view text) {
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 2);
    int high = -1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ' ' || text[i] == '\t' || text[i] == '\r') continue;
        int digit = sonde::detail::hex_digit(text[i]);
        if (digit < 0)
            throw error(errc::bad_text, fmt::format("column {}: \"{}\" is no hexadecimal digit", i + 1,
                                                    escape(text.substr(i, 1))));
        if (high >= 0) bytes.push_back(static_cast<std::byte>(high << 4 | digit));
        high = high >= 0 ? -1 : digit;
    }
    if (high >= 0) throw error(errc::bad_text, "an odd number of hexadecimal digits");
    return bytes;
}

int with_usage(std::string_view command, text_streams const& streams, std::function<int()> const& body) {
    try {
        return body();
    } catch (text_usage_error const& e) {
        streams.err << "sonde " << command << ": " << e.what() << '\n';
        return 2;
    }
}

int on_standard_streams(int (*command)(std::vector<std::string> const&, text_streams const&),
                        std::vector<std::string> const& arguments) {
    std::ios::sync_with_stdio(false);
    std::cin.tie(nullptr);
    return command(arguments, {std::cin, std::cout, std::cerr});
}

}  // namespace sonde::inline v0::tool
