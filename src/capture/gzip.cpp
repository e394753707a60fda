#include "capture/gzip.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#if SONDE_HAS_ZLIB
#include <zlib.h>
#endif

namespace sonde::inline v0::detail {

bool is_compressed(std::span<std::byte const> begin) {
    return begin.size() >= 2 && begin[0] == std::byte(0x1f) && begin[1] == std::byte(0x8b);
}

bool is_compressed(std::string const& path) {
    owned_stream file(std::fopen(path.c_str(), "rbe"));
    std::array<std::byte, 2> begin{};
    return file && std::fread(begin.data(), 1, begin.size(), file.get()) == begin.size() &&
           is_compressed(begin);
}

#if SONDE_HAS_ZLIB

namespace {

/// By inflate and not by gzread, which drops what it expanded in front of damage: every whole record is read.
class expander {
public:
    expander(std::FILE* compressed, std::span<std::byte const> begin) : compressed_(compressed) {
        constexpr int gzip = 16 + MAX_WBITS;
        if (inflateInit2(&z_, gzip) != Z_OK) throw std::bad_alloc();
        std::memcpy(in_.data(), begin.data(), begin.size());
        z_.next_in = in_.data();
        z_.avail_in = static_cast<uInt>(begin.size());
    }
    expander(expander const&) = delete;
    ~expander() { inflateEnd(&z_); }

    ssize_t read(char* into, std::size_t size) {
        z_.next_out = reinterpret_cast<Bytef*>(into);
        z_.avail_out = static_cast<uInt>(size);
        int error = 0;
        while (z_.avail_out == size && !ended_ && error == 0) error = step();
        if (auto got = size - z_.avail_out; got > 0)
            return static_cast<ssize_t>(got);  // an error comes again
        errno = error;
        return error == 0 ? 0 : -1;
    }

private:
    /// The error's number, or 0.
    int step() {
        switch (inflate(&z_, Z_NO_FLUSH)) {
            case Z_OK: return 0;
            case Z_STREAM_END: return begin_member();
            case Z_BUF_ERROR: return fill() ? 0 : errno == 0 ? ENODATA : errno;
            case Z_MEM_ERROR: return ENOMEM;
            default: return EBADMSG;
        }
    }

    /// Members follow one another (RFC 1952 §2.2). What is none is ignored, as gzip does.
    int begin_member() {
        while (z_.avail_in < 2)
            if (!fill()) {
                ended_ = errno == 0;
                return errno;
            }
        ended_ = !is_compressed(std::as_bytes(std::span(z_.next_in, z_.avail_in)));
        if (!ended_) inflateReset(&z_);
        return 0;
    }

    /// Reads behind what is left; false, with errno, when nothing came.
    bool fill() {
        std::memmove(in_.data(), z_.next_in, z_.avail_in);
        z_.next_in = in_.data();
        errno = 0;
        auto got = std::fread(in_.data() + z_.avail_in, 1, in_.size() - z_.avail_in, compressed_);
        z_.avail_in += static_cast<uInt>(got);
        return got > 0;
    }

    std::FILE* compressed_;
    std::array<Bytef, 4096> in_{};
    z_stream z_{};
    bool ended_ = false;
};

ssize_t read(void* cookie, char* into, std::size_t size) {
    return static_cast<expander*>(cookie)->read(into, size);
}

int close(void* cookie) {
    delete static_cast<expander*>(cookie);
    return 0;
}

}  // namespace

owned_stream expand(std::FILE* compressed, std::span<std::byte const> begin) {
    auto cookie = std::make_unique<expander>(compressed, begin);
    owned_stream stream(
        ::fopencookie(cookie.get(), "rb", {.read = read, .write = nullptr, .seek = nullptr, .close = close}));
    if (!stream) throw std::bad_alloc();
    [[maybe_unused]] auto* the_streams = cookie.release();
    return stream;
}

#else

owned_stream expand(std::FILE*, std::span<std::byte const>) {
    return {};
}

#endif

}  // namespace sonde::inline v0::detail
