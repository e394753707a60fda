#include "tool/options.hpp"

#include "tool/text_lines.hpp"

#include <sonde/packet/escape.hpp>

#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <sstream>

namespace sonde::inline v0::tool {

namespace po = boost::program_options;

std::chrono::nanoseconds parse_duration(std::string const& text) {
    double number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string unit(end, text.data() + text.size());
    double factor = unit.empty() || unit == "s" ? 1e9
                    : unit == "ms"              ? 1e6
                    : unit == "us"              ? 1e3
                    : unit == "ns"              ? 1
                    : unit == "m"               ? 6e10
                                                : 0;
    if (failure != std::errc() || factor == 0 || !(number >= 0) || number * factor > 9e18)
        throw usage_error(
            fmt::format("\"{}\" is no duration: write 2, 0.5, 500ms, 20us or 1m", escape(text)));
    return std::chrono::nanoseconds(static_cast<std::int64_t>(number * factor));
}

// Not by lexical_cast, which takes "-1" for the largest number of all.
std::uint64_t parse_count(std::string const& text) {
    std::uint64_t number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size())
        throw usage_error(fmt::format("\"{}\" is no count: write 0, 1, 2 ...", escape(text)));
    return number;
}

if_name interface_of(arguments const& a) {
    auto name = a.text("iface");
    if (auto shown = escape(name); shown != name)
        throw usage_error(fmt::format("--iface {}: no interface has such a name", shown));
    return if_name(name);
}

double parse_rate(std::string const& text) {
    double number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string unit(end, text.data() + text.size());
    double factor = unit.empty() ? 1 : unit == "k" ? 1e3 : unit == "M" ? 1e6 : unit == "G" ? 1e9 : 0;
    if (failure != std::errc() || factor == 0 || !(number >= 0 && number <= 1e15))
        throw usage_error(fmt::format("\"{}\" is no rate: write 500, 1.5k, 10M or 1G", escape(text)));
    return number * factor;
}

verb::verb(std::string n, std::string s, std::string a, std::string e, bool uses_network)
    : name(std::move(n)), synopsis(std::move(s)), about(std::move(a)), example(std::move(e)) {
    options.add_options()("help,h", "print this help and exit");
    if (!uses_network) return;
    options.add_options()(
        "sim", "on a simulated network that answers as the lab does: no privileges, and nothing is sent")(
        "pace", "with --sim: let its time pass as time does, not at once");
}

void verb::print_help() const {
    std::ostringstream list;
    list << options;
    fmt::print("Usage: sonde {} {}\n\n{}\n\n{}\nExample:\n  {}\n", name, synopsis, about, list.str(),
               example);
    fmt::print("\nDurations take units: 500ms, 2s, 1m; a plain number is seconds.\nExit status: {}\n",
               exit_status);
}

namespace {

using options_of_verb = po::options_description;

/// The value of an option that has one of its own: `--tcp` is `--tcp=80`. Nothing where it needs one, or
/// none.
std::optional<std::string> own_value(po::option_description const* o) {
    if (!o || o->semantic()->min_tokens() != 0 || o->semantic()->max_tokens() == 0) return {};
    boost::any value;
    o->semantic()->parse(value, {}, true);
    return boost::any_cast<std::string>(value);
}

/// Nothing where several options begin so: the parser tells.
po::option_description const* find_option(options_of_verb const& options, std::string const& name) {
    try {
        return options.find_nothrow(name, true);
    } catch (po::error const&) {
        return nullptr;
    }
}

/// With its option's own value, where the word is one that may have another attached and has not: of "-qT"
/// the last letter is asked.
std::string with_own_value(options_of_verb const& options, std::string const& word) {
    if (word.starts_with("--")) {
        if (word.size() == 2 || word.find('=') != word.npos) return word;
        auto value = own_value(find_option(options, word.substr(2)));
        return value ? word + "=" + *value : word;
    }
    if (word.size() < 2 || word[0] != '-') return word;
    for (std::size_t i = 1; i < word.size(); ++i) {
        auto const* o = options.find_nothrow(std::string("-") + word[i], false);
        if (!o) return word;
        if (o->semantic()->max_tokens() == 0) continue;
        auto value = i + 1 == word.size() ? own_value(o) : std::nullopt;
        return value ? word + *value : word;
    }
    return word;
}

/// What follows an option with a value of its own is no value, though the parser would take it for one.
std::vector<std::string> with_own_values(options_of_verb const& options, std::vector<std::string> words) {
    for (auto& word : words) {
        if (word == "--") break;
        word = with_own_value(options, word);
    }
    return words;
}

}  // namespace

arguments verb::parse(std::vector<std::string> const& words) const {
    po::options_description all;
    all.add(options).add_options()("subject", po::value<std::vector<std::string>>());
    po::positional_options_description positional;
    positional.add("subject", -1);
    arguments a;
    try {
        po::store(po::command_line_parser(with_own_values(options, words))
                      .options(all)
                      .positional(positional)
                      .run(),
                  a.values);
        po::notify(a.values);
    } catch (po::error const& e) {
        throw usage_error(escape(e.what()));
    }
    if (a.has("help")) return a;
    if (a.has("subject")) {
        auto const& subjects = a.values["subject"].as<std::vector<std::string>>();
        a.subjects = subjects;
        if (!many_subjects && (subjects.size() > 1 || !needs_subject))
            throw usage_error(fmt::format("unexpected argument \"{}\"{}", escape(subjects.back()),
                                          is_expression ? ": quote the whole packet expression" : ""));
        a.subject = subjects.front();
    } else if (needs_subject && !many_subjects) {
        throw usage_error(is_expression ? "a packet expression is missing" : "a file is missing");
    }
    return a;
}

void add_targets(verb& v) {
    v.options.add_options()("block", po::value<std::vector<std::string>>(),
                            "send nothing to this address or network; may be given again")(
        "allow-target", po::value<std::vector<std::string>>(),
        "let ranges, networks and chance hit special addresses of a kind: broadcast, multicast, unspecified, "
        "own; may be given again. What is written as it is needs no leave");
}

namespace {

void add_interface(verb& v) {
    bool layer2 = v.name.starts_with("srp") || v.name == "sendp";
    v.options.add_options()(
        "iface,i", po::value<std::string>(),
        layer2 ? "interface; default: that of the default route" : "interface; default: by the route");
}

}  // namespace

void add_sending(verb& v) {
    add_targets(v);
    add_interface(v);
    v.options.add_options()("count,c", po::value<std::string>(),
                            "repeat the whole set so often (0: send nothing)")(
        "loop", po::value<std::string>()->implicit_value("1"), "repeat until interrupted")(
        "inter", po::value<std::string>(), "time between two packets")(
        "rate,R", po::value<std::string>(), "packets per second, at most: 500, 10k")(
        "bit-rate", po::value<std::string>(), "bits per second, at most: 500k, 10M, 1G")(
        "realtime", "keep the gaps between the packets of a capture file");
}

void add_probing(verb& v) {
    add_targets(v);
    add_interface(v);
    v.options.add_options()(
        "timeout,t", po::value<std::string>(),
        "how long each attempt waits, from the moment that it left; default 2s. \"adaptive\": as answers "
        "take")("retry,r", po::value<int>(),
                "attempts after the first; -n: until n rounds in a row bring nothing new")(
        "inter", po::value<std::string>(), "time between two packets")(
        "rate,R", po::value<std::string>(),
        "packets per second, at most: 500, 10k. \"adaptive\": as the path bears it; best with --retry")(
        "bit-rate", po::value<std::string>(), "bits per second, at most: 500k, 10M, 1G")(
        "filter,f", po::value<std::string>(), "pcap filter: of the answers, only these count")(
        "multi", "every answer to a probe, not only the first")(
        "relaxed",
        "take what Scapy takes as an answer: UDP from any port, TCP acknowledgements off by 2, ...")(
        "reassemble", "answers that come in fragments count when they are whole");
}

void add_looping(verb& v) {
    add_targets(v);
    add_interface(v);
    v.options.add_options()("count,c", po::value<std::string>(), "rounds; default: until interrupted")(
        "inter", po::value<std::string>(),
        "time from the start of one round to the next, which waits for the end of the one before; default "
        "1s")("timeout,t", po::value<std::string>(),
              "how long each attempt waits; default 2 x inter (2s where that is 0), 5s at most. "
              "\"adaptive\": as answers "
              "take")("retry,r", po::value<int>(), "attempts after the first, in each round")(
        "filter,f", po::value<std::string>(), "pcap filter: of the answers, only these count");
}

void add_output(verb& v) {
    v.options.add_options()("json", "JSON lines")("quiet,q", "print the report only");
}

namespace {

/// A value of the option's type, which may be one that can be adaptive.
template <class Option, class Parse>
Option adaptive_or(Option const&, std::string const& text, Parse parse) {
    if constexpr (std::is_constructible_v<Option, adaptive_t>)
        if (text == "adaptive") return adaptive;
    return parse(text);
}

template <class Options>
void read_common(arguments const& a, Options& o) {
    if (a.has("iface")) o.iface = interface_of(a);
    if (a.has("inter")) o.inter = parse_duration(a.text("inter"));
    if constexpr (requires { o.rate; })
        if (a.has("rate")) o.rate = adaptive_or(o.rate, a.text("rate"), parse_rate);
    if constexpr (requires { o.bit_rate; })
        if (a.has("bit-rate")) o.bit_rate = parse_rate(a.text("bit-rate"));
    if constexpr (requires { o.timeout; })
        if (a.has("timeout")) o.timeout = adaptive_or(o.timeout, a.text("timeout"), parse_duration);
    if constexpr (requires { o.retry; })
        if (a.has("retry")) o.retry = a.values["retry"].template as<int>();
    if constexpr (requires { o.filter; })
        if (a.has("filter")) o.filter = a.values["filter"].template as<std::string>();
    if constexpr (requires { o.count; })
        if (a.has("count")) o.count = parse_count(a.text("count"));
}

}  // namespace

send_options send_options_of(arguments const& a) {
    send_options o;
    read_common(a, o);
    auto loop = a.has("loop") ? a.text("loop") : "0";
    if (loop != "0" && loop != "1")
        throw usage_error(fmt::format("--loop={}: --loop alone, or --loop=0", escape(loop)));
    o.loop = loop == "1" && !a.has("count");
    o.realtime = a.has("realtime");
    return o;
}

sr_options sr_options_of(arguments const& a) {
    sr_options o;
    read_common(a, o);
    o.multi = a.has("multi");
    o.relaxed = a.has("relaxed");
    o.reassemble = a.has("reassemble");
    return o;
}

loop_options loop_options_of(arguments const& a) {
    loop_options o;
    read_common(a, o);
    return o;
}

network_options network_options_of(arguments const& a) {
    network_options o;
    for (auto const& kind : a.texts("allow-target")) {
        auto* allowed = kind == "broadcast"     ? &o.targets.broadcast
                        : kind == "multicast"   ? &o.targets.multicast
                        : kind == "unspecified" ? &o.targets.unspecified
                        : kind == "own"         ? &o.targets.own
                                                : nullptr;
        if (!allowed)
            throw usage_error(fmt::format(
                "\"{}\" is no kind of target: write broadcast, multicast, unspecified or own", escape(kind)));
        *allowed = true;
    }
    return o;
}

address_set blocked_by(arguments const& a) try {
    return address_set(a.texts("block"));
} catch (error const& e) {
    throw usage_error(fmt::format("--block: {}", message_of(e)));
}

}  // namespace sonde::inline v0::tool
