#include "capture/input.hpp"

#include "capture/gzip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t chunk = std::size_t(64) << 10;

[[noreturn]] void fail_by_errno(std::string const& name, char const* step) {
    throw capture_failure{{errno, boost::system::system_category()}, fmt::format("{}: {}", name, step)};
}

}  // namespace

capture_input::capture_input(std::string const& path)
    : name_(path), owned_(std::fopen(path.c_str(), "rbe")), stream_(owned_.get()) {
    if (!stream_) fail_by_errno(name_, "open");
    std::setvbuf(stream_, nullptr, _IOFBF, chunk);
}

bool capture_input::expand(std::span<std::byte const> begin) {
    expanded_ = detail::expand(stream_, begin);
    if (!expanded_) return false;
    stream_ = expanded_.get();
    std::setvbuf(stream_, nullptr, _IOFBF, chunk);
    offset_ = 0;
    return true;
}

bool capture_input::begin_record() {
    record_ = offset_;
    if (ahead_) return true;
    std::byte first;
    if (int c = ::getc_unlocked(stream_); c != EOF)
        first = static_cast<std::byte>(c);
    else if (read_stream({&first, 1}) == 0)
        return false;
    ahead_ = first;
    return true;
}

std::span<std::byte const> capture_input::read(std::size_t size) {
    std::size_t done = 0;
    while (done < size) {  // by chunks: a size that the file does not have is never allocated
        auto part = std::min(size - done, chunk);
        if (buffer_.size() < done + part) buffer_.resize(done + part);
        auto got = read_some(std::span(buffer_).subspan(done, part));
        done += got;
        if (got < part)
            throw capture_failure{errc::truncated_file,
                                  fmt::format("{}: ends at byte {}, inside the record that begins at byte {}",
                                              name_, offset_, record_)};
    }
    return std::span(buffer_).first(size);
}

void capture_input::skip(std::size_t size) {
    for (; size > chunk; size -= chunk) read(chunk);
    read(size);
}

void capture_input::fail(errc code, std::string const& what) const {
    throw capture_failure{code, fmt::format("{}: record at byte {}: {}", name_, record_, what)};
}

void capture_input::fail_compressed(errc code, char const* what) const {
    throw capture_failure{
        code, fmt::format("{}: {}, in the record that begins at expanded byte {}", name_, what, record_)};
}

/// Less than asked for at the end of the file only.
std::size_t capture_input::read_some(std::span<std::byte> into) {
    std::size_t known = 0;
    if (ahead_ && !into.empty()) into[known++] = *std::exchange(ahead_, {});
    auto done = known + read_stream(into.subspan(known));
    offset_ += done;
    return done;
}

/// Without the stream's lock, which would be taken three times for each frame: nobody else has the stream.
std::size_t capture_input::read_stream(std::span<std::byte> into) {
    std::size_t done = 0;
    while (done < into.size()) {
        errno = 0;
        done += ::fread_unlocked(into.data() + done, 1, into.size() - done, stream_);
        if (done == into.size() || std::feof(stream_)) break;
        if (errno == ENODATA) fail_compressed(errc::truncated_file, "the compressed data end too early");
        if (errno == EBADMSG) fail_compressed(errc::bad_file, "the compressed data are damaged");
        if (errno != EINTR) fail_by_errno(name_, "read");
        std::clearerr(stream_);
    }
    return done;
}

}  // namespace sonde::inline v0::detail
