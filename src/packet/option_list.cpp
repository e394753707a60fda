#include <sonde/error.hpp>
#include <sonde/packet/option_list.hpp>

#include <fmt/format.h>

namespace sonde::inline v0::detail {

void throw_list_too_long(std::size_t capacity) {
    throw error(errc::header_too_long, fmt::format("a list of more than {} bytes", capacity));
}

}  // namespace sonde::inline v0::detail
