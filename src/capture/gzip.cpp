#include "capture/gzip.hpp"

#include <array>
#include <cerrno>

#if SONDE_HAS_ZLIB
#include <zlib.h>
#endif

namespace sonde::inline v0::detail {
namespace {

bool is_compressed(std::FILE* file) {
    if (std::fseek(file, 0, SEEK_CUR) != 0) return false;  // a pipe, of which nothing may be lost
    std::array<unsigned char, 2> magic{};
    auto size = std::fread(magic.data(), 1, magic.size(), file);
    return std::fseek(file, 0, SEEK_SET) == 0 && size == magic.size() && magic[0] == 0x1f && magic[1] == 0x8b;
}

#if SONDE_HAS_ZLIB

int error_of(gzFile file) {
    int code = Z_OK;
    gzerror(file, &code);
    if (code == Z_BUF_ERROR) return ENODATA;
    return code == Z_OK ? 0 : code == Z_ERRNO ? errno : EBADMSG;
}

/// Gives what there is before an error: every whole record of a cut file is read.
ssize_t read(void* cookie, char* into, std::size_t size) {
    auto* file = static_cast<gzFile>(cookie);
    auto got = gzread(file, into, static_cast<unsigned>(size));
    if (got > 0) return got;
    errno = error_of(file);
    return errno == 0 ? 0 : -1;
}

int close(void* cookie) {
    gzclose_r(static_cast<gzFile>(cookie));
    return 0;
}

owned_stream expand(std::string const& path) {
    gzFile file = gzopen(path.c_str(), "rbe");
    if (!file) return {};
    return owned_stream(
        ::fopencookie(file, "rb", {.read = read, .write = nullptr, .seek = nullptr, .close = close}));
}

#else

owned_stream expand(std::string const&) {
    errno = ENOTSUP;
    return {};
}

#endif

}  // namespace

bool is_compressed(std::string const& path) {
    owned_stream file(std::fopen(path.c_str(), "rbe"));
    return file && is_compressed(file.get());
}

owned_stream open_expanded(std::string const& path) {
    owned_stream plain(std::fopen(path.c_str(), "rbe"));
    return plain && is_compressed(plain.get()) ? expand(path) : std::move(plain);
}

}  // namespace sonde::inline v0::detail
