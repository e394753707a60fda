#include "tool/scan_resume.hpp"

#include "tool/json.hpp"

#include <sonde/error.hpp>
#include <sonde/packet/escape.hpp>

#include <boost/system/system_error.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace sonde::inline v0::tool {
namespace {

std::uint64_t number_of(std::string const& text, int base = 10) {
    std::uint64_t n = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n, base);
    if (failure != std::errc() || end != text.data() + text.size())
        throw error(errc::bad_text, fmt::format("\"{}\" is no number", escape(text)));
    return n;
}

}  // namespace

std::optional<scan_checkpoint> read_checkpoint(std::string const& path) {
    std::ifstream file(path);
    if (!file) return {};
    std::ostringstream text;
    text << file.rdbuf();
    try {
        auto m = read_text_members(text.str(), {"scan", "seed", "shard", "output", "complete", "done"});
        scan_checkpoint c;
        c.fingerprint = number_of(m[0], 16);
        c.seed = number_of(m[1]);
        c.shard = m[2];
        c.output = number_of(m[3]);
        c.complete = m[4] == "yes";
        c.done = tools::positions::read(m[5]);
        return c;
    } catch (error const& e) {
        throw error(errc::bad_file, fmt::format("{} is no resume file: {}", escape(path), e.what()));
    }
}

void write_checkpoint(std::string const& path, scan_checkpoint const& c) {
    auto temporary = path + ".new";
    std::ofstream file(temporary, std::ios::trunc);
    file << fmt::format(
        "{{\"scan\":\"{:016x}\",\"seed\":\"{}\",\"shard\":\"{}\",\"output\":\"{}\",\"complete\":\"{}\","
        "\"done\":\"{}\"}}\n",
        c.fingerprint, c.seed, c.shard, c.output, c.complete ? "yes" : "no", c.done.to_string());
    file.close();
    if (!file || std::rename(temporary.c_str(), path.c_str()) != 0)
        throw boost::system::system_error(errno ? errno : EIO, boost::system::system_category(),
                                          escape(path));
}

}  // namespace sonde::inline v0::tool
