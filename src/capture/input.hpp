#pragma once

#include <sonde/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

// What the formats read from: a stream of octets that knows where it is and how to complain.
namespace sonde::inline v0::detail {

/// A failure on its way to the reader's caller.
struct capture_failure {
    error_code code;
    std::string why;
};

struct close_stream {
    void operator()(std::FILE* f) const { std::fclose(f); }  // NOLINT: nothing left to write or to say
};
using owned_stream = std::unique_ptr<std::FILE, close_stream>;

class capture_input {
public:
    /// Opens a file; throws capture_failure.
    explicit capture_input(std::string const& path);
    capture_input(std::FILE* stream, std::string name) : name_(std::move(name)), stream_(stream) {}

    /// Goes on with what the stream, of which `begin` is read, expands to; false without zlib.
    bool expand(std::span<std::byte const> begin);

    /// Marks the place where a record begins; false at the end of the file.
    bool begin_record();
    /// Where the record begins.
    std::uint64_t record() const { return record_; }

    /// Exactly `size` octets, valid until the next read. Throws capture_failure: truncated_file, or the
    /// system's.
    std::span<std::byte const> read(std::size_t size);
    void skip(std::size_t size);

    /// The record is not what the format says.
    [[noreturn]] void damaged(std::string const& what) const { fail(errc::bad_file, what); }
    [[noreturn]] void fail(errc code, std::string const& what) const;

private:
    std::size_t read_some(std::span<std::byte> into);
    std::size_t read_stream(std::span<std::byte> into);
    [[noreturn]] void fail_compressed(errc code, char const* what) const;

    std::string name_;
    owned_stream owned_, expanded_;  // the second reads from the stream before
    std::FILE* stream_ = nullptr;
    std::uint64_t offset_ = 0, record_ = 0;
    std::optional<std::byte> ahead_;  // of the record that begins
    std::vector<std::byte> buffer_;
};

/// Numbers of either byte order.
class byte_reader {
public:
    byte_reader(std::span<std::byte const> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

    std::uint16_t u16(std::size_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
    std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
    std::uint64_t u64(std::size_t at) const { return number(at, 8); }
    std::span<std::byte const> bytes() const { return bytes_; }

private:
    std::uint64_t number(std::size_t at, std::size_t size) const {
        std::uint64_t n = 0;
        for (std::size_t i = 0; i < size; ++i)
            n = n << 8 | std::to_integer<std::uint64_t>(bytes_[at + (big_endian_ ? i : size - 1 - i)]);
        return n;
    }

    std::span<std::byte const> bytes_;
    bool big_endian_;
};

}  // namespace sonde::inline v0::detail
