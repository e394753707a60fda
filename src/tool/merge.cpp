#include "tool/commands.hpp"
#include "tool/lines.hpp"
#include "tool/text_lines.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/tools/scan_plan.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <unordered_set>

namespace sonde::inline v0::tool {

namespace json = boost::json;
namespace po = boost::program_options;

verb merge_verb(std::string const&) {
    verb v("merge", "[FILE...] [OPTIONS]",
           "Join the JSON lines of a scan's shards (files, or stdin): results that came twice once, and one "
           "summary. Fails, "
           "and says why, when a shard is missing, did not end, or is of another scan.",
           "cat out-*.jsonl | sonde merge --expect 64", false);
    v.many_subjects = true;
    v.options.add_options()("expect", po::value<std::string>(),
                            "how many shards there must be; default: as many as they say");
    v.exit_status = "0 all shards are there and whole, 1 not so, 2 usage, 3 a file cannot be read.";
    return v;
}

namespace {

std::string text_of(json::object const& record, char const* member) {
    auto const* v = record.if_contains(member);
    if (!v) return {};
    return v->is_string() ? std::string(v->get_string().c_str()) : json::serialize(*v);
}

class merging {
public:
    /// Results go on at once; what is wrong is kept for the end.
    void read(std::istream& in, std::string const& name) {
        std::size_t number = 0;
        for (std::string line; ++number, std::getline(in, line);) {
            if (line.empty()) continue;
            error_code ec;
            auto value = json::parse(line, ec);
            auto const* record = ec ? nullptr : value.if_object();
            if (!record)
                wrong_.insert(
                    fmt::format("{}:{}: no JSON record, as where a writer was killed", escape(name), number));
            else
                take(*record, line);
        }
    }

    /// True when everything is there.
    bool finish(std::optional<std::uint64_t> expected) {
        auto n = expected.value_or(shards_);
        if (starts_ == 0) wrong_.insert("no start record: this is no scan's output");
        if (expected && shards_ && *expected != shards_)
            wrong_.insert(fmt::format("the scan has {} shards, {} are expected", shards_, *expected));
        for (std::uint64_t i = 1; i <= n; ++i) {
            auto shard = fmt::format("{}/{}", i, shards_ ? shards_ : n);
            if (!complete_.contains(shard))
                wrong_.insert(fmt::format("shard {}: {}", shard,
                                          seen_.contains(shard)
                                              ? "has no summary record of a complete run: it did not end"
                                              : "is missing"));
        }
        fmt::print(
            "{{\"type\":\"summary\",\"scan\":{},\"seed\":{},\"shards\":{},\"complete\":{},\"results\":{},"
            "\"repeats\":{}",
            quoted_json(scan_.first), quoted_json(scan_.second), complete_.size(), wrong_.empty(),
            keys_.size(), repeats_);
        for (auto const& [name, sum] : sums_) fmt::print(",\"{}\":{}", name, sum);
        fmt::print("}}\n");
        for (auto const& w : wrong_) complain("sonde merge: {}\n", w);
        return wrong_.empty();
    }

private:
    void take(json::object const& record, std::string const& line) {
        auto type = text_of(record, "type");
        if (type == "answer") {
            auto key =
                text_of(record, "target") + " " + text_of(record, "proto") + " " + text_of(record, "port");
            if (keys_.insert(std::move(key)).second)
                fmt::print("{}\n", line);
            else
                ++repeats_;
        } else if (type == "start" || type == "summary") {
            take_shard(record, type == "start", line);
        }
    }

    void take_shard(json::object const& record, bool start, std::string const& line) {
        auto shard = text_of(record, "shard");
        std::pair const scan(text_of(record, "scan"), text_of(record, "seed"));
        if (scan_.first.empty()) scan_ = scan;
        if (scan != scan_)
            wrong_.insert(fmt::format("shard {} is of another scan: {} seed {}, not {} seed {}",
                                      escape(shard), escape(scan.first), escape(scan.second),
                                      escape(scan_.first), escape(scan_.second)));
        try {
            auto count = tools::read_shard(shard).count;
            if (shards_ == 0) shards_ = count;
            if (count != shards_) wrong_.insert(fmt::format("shard {} beside shards of {}", shard, shards_));
        } catch (error const& e) {
            wrong_.insert(message_of(e));
        }
        seen_.insert(shard);
        if (start && starts_++ == 0) fmt::print("{}\n", line);
        if (start) return;
        auto const* complete = record.if_contains("complete");
        if (complete && complete->is_bool() && complete->get_bool()) complete_.insert(shard);
        if (!summaries_.insert(line).second) return;  // the same file again
        for (auto const* name : {"sent", "answered", "retries", "duplicates", "late", "send_errors", "drops"})
            if (auto const* v = record.if_contains(name); v && v->is_int64())
                sums_[name] += static_cast<std::uint64_t>(v->get_int64());
    }

    std::unordered_set<std::string> keys_;
    std::set<std::string> seen_, complete_, wrong_, summaries_;
    std::map<std::string, std::uint64_t> sums_;
    std::pair<std::string, std::string> scan_;  // fingerprint and seed
    std::uint64_t shards_ = 0, starts_ = 0, repeats_ = 0;
};

}  // namespace

int run_merge(std::string const& name, words const& arguments_) {
    auto v = merge_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    merging all;
    for (auto const& path : a.subjects) {
        if (path == "-") continue;
        std::ifstream file(path);
        if (!file) throw boost::system::system_error(ENOENT, boost::system::system_category(), escape(path));
        all.read(file, path);
    }
    if (a.subjects.empty() || std::ranges::count(a.subjects, "-")) all.read(std::cin, "stdin");
    std::optional<std::uint64_t> expected;
    if (a.has("expect")) expected = parse_count(a.text("expect"));
    return all.finish(expected) ? answered : no_answer;
}

}  // namespace sonde::inline v0::tool
