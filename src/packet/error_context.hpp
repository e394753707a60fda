#pragma once

#include <boost/system/system_error.hpp>

#include <string_view>

namespace sonde::inline v0::detail {

/// What an error is about, without what its code says itself. Borrowed from it.
inline std::string_view context_of(boost::system::system_error const& e) {
    std::string_view const what = e.what();
    auto const end = what.rfind(": " + e.code().message());
    if (end != what.npos) return what.substr(0, end);
    return what.starts_with(e.code().message()) ? std::string_view() : what;
}

}  // namespace sonde::inline v0::detail
