#include <sonde/error.hpp>
#include <sonde/packet/option_list.hpp>

namespace sonde {

void option_bytes::append(std::string_view encoded) {
    if (size_ + encoded.size() > capacity)
        throw_error(errc::header_too_long, "options of more than 40 bytes");
    std::copy(encoded.begin(), encoded.end(), data_ + size_);
    size_ = static_cast<std::uint8_t>(size_ + encoded.size());
}

}  // namespace sonde
