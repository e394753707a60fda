#include "tool/output.hpp"

#include <boost/system/system_error.hpp>

#include <cerrno>
#include <cstdio>

namespace sonde::inline v0::tool {

void say(std::string_view text) noexcept {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

std::string printable(std::string_view text) {
    std::string out;
    for (char c : text)
        if ((c >= 0x20 && c < 0x7f) || c == '\n')
            out += c;
        else
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    return out;
}

void flush_results() {
    errno = 0;
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
    throw boost::system::system_error(errno ? errno : EIO, boost::system::system_category(),
                                      "standard output");
}

}  // namespace sonde::inline v0::tool
