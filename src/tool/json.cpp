#include "tool/json.hpp"

#include <sonde/error.hpp>

#include <fmt/format.h>
#include <boost/json/src.hpp>

namespace sonde::inline v0::tool {

std::vector<std::string> read_text_members(std::string_view json,
                                           std::vector<std::string_view> const& names) {
    boost::system::error_code ec;
    boost::json::stream_parser parser;  // nested 32 deep at most, its default
    parser.write({json.data(), json.size()}, ec);
    if (!ec) parser.finish(ec);
    if (ec) throw error(errc::bad_text, fmt::format("no JSON: {}", ec.message()));
    auto const value = parser.release();
    auto const* object = value.if_object();
    if (!object) throw error(errc::bad_text, "no JSON object");
    std::vector<std::string> members;
    for (auto name : names) {
        auto const* member = object->if_contains({name.data(), name.size()});
        if (!member || !member->is_string()) throw error(errc::bad_text, fmt::format("no text \"{}\"", name));
        auto const& text = member->get_string();
        members.emplace_back(text.data(), text.size());
    }
    return members;
}

}  // namespace sonde::inline v0::tool
