#include "tool/text_options.hpp"

#include <sonde/packet/escape.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace sonde::inline v0::tool {
namespace {

link_type parse_link(std::string_view name) {
    constexpr std::pair<std::string_view, link_type> links[] = {
        {"ether", link_type::ethernet}, {"ipv4", link_type::ipv4},     {"ipv6", link_type::ipv6},
        {"null", link_type::null},      {"sll", link_type::linux_sll}, {"sll2", link_type::linux_sll2}};
    for (auto [known, link] : links)
        if (known == name) return link;
    throw text_usage_error(
        fmt::format("--link {}: it is one of ether, ipv4, ipv6, null, sll, sll2", escape(name)));
}

std::uint64_t parse_limit(std::string_view text) {
    std::uint64_t limit = 0;
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (failed != std::errc() || end != text.data() + text.size())
        throw text_usage_error(fmt::format("--limit {}: a number of packets", escape(text)));
    return limit;
}

/// The words, one after the other; `--name=value` counts as two.
class word_reader {
public:
    explicit word_reader(std::vector<std::string> const& words) {
        for (auto const& w : words) {
            auto equals = w.starts_with("--") ? w.find('=') : w.npos;
            words_.push_back(w.substr(0, equals));
            if (equals != w.npos) words_.push_back(w.substr(equals + 1));
        }
    }
    bool more() const { return next_ < words_.size(); }
    std::string const& take() { return words_[next_++]; }
    std::string const& value_of(std::string const& option) {
        if (!more()) throw text_usage_error(option + " needs a value");
        if (std::ranges::find(asked_, option) != asked_.end())
            throw text_usage_error(option + " is given twice: it takes one value");
        asked_.push_back(option);
        return take();
    }

private:
    std::vector<std::string> words_, asked_;
    std::size_t next_ = 0;
};

struct style_option {
    std::string_view name;
    text_style style;
};
constexpr style_option styles[] = {{"--json", text_style::json},
                                   {"--command", text_style::command},
                                   {"--summary", text_style::summary},
                                   {"--hex", text_style::hex}};

bool set_style(text_options& o, std::string const& name) {
    auto const* asked = std::ranges::find(styles, std::string_view(name), &style_option::name);
    if (asked == std::end(styles)) return false;
    auto const* before = std::ranges::find(styles, o.style, &style_option::style);
    if (before != std::end(styles) && before != asked)
        throw text_usage_error(fmt::format("{} or {}, not both", before->name, name));
    o.style = asked->style;
    return true;
}

void set_option(text_options& o, std::string const& name, word_reader& words) {
    if (set_style(o, name)) return;
    if (name == "--relaxed")
        o.relaxed = true;
    else if (name == "--link")
        o.link = parse_link(words.value_of(name));
    else if (name == "--limit")
        o.limit = parse_limit(words.value_of(name));
    else
        o.file = words.value_of(name);
}

}  // namespace

text_options parse_text_options(std::vector<std::string> const& words, std::string_view known) {
    text_options o;
    word_reader reader(words);
    bool only_rest = false;
    while (reader.more()) {
        auto word = reader.take();
        if (only_rest || !word.starts_with('-') || word == "-")
            o.rest.push_back(word);
        else if (word == "--")
            only_rest = true;
        else if (word == "--help" || word == "-h")
            o.help = true;
        else if (known.find(" " + word + " ") != known.npos)
            set_option(o, word, reader);
        else
            throw text_usage_error(fmt::format("no option {}; --help lists them", escape(word)));
    }
    return o;
}

}  // namespace sonde::inline v0::tool
