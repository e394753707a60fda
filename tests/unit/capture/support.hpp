#pragma once

#include <sonde/capture/capture_reader.hpp>

#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// The octets of a capture file, put together field by field in either byte order.
class file_bytes {
public:
    explicit file_bytes(bool big_endian = false) : big_endian_(big_endian) {}

    file_bytes& u16(std::uint64_t n) { return number(n, 2); }
    file_bytes& u32(std::uint64_t n) { return number(n, 4); }
    file_bytes& u64(std::uint64_t n) { return number(n, 8); }
    file_bytes& text(std::string_view bytes) {
        out += bytes;
        return *this;
    }

    file_bytes& pcap_header(std::uint32_t magic, std::uint32_t link) {
        return u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(link);
    }
    file_bytes& pcap_record(std::uint32_t seconds, std::uint32_t fraction, std::string_view bytes,
                            std::size_t more = 0) {
        return u32(seconds).u32(fraction).u32(bytes.size()).u32(bytes.size() + more).text(bytes);
    }

    /// A pcapng block around a body, which is padded.
    file_bytes& block(std::uint32_t type, file_bytes const& body) {
        auto padded = (body.out.size() + 3) / 4 * 4;
        u32(type).u32(padded + 12).text(body.out);
        return text(std::string(padded - body.out.size(), '\0')).u32(padded + 12);
    }
    file_bytes part() const { return file_bytes(big_endian_); }
    file_bytes& section() { return block(0x0a0d0d0a, part().u32(0x1a2b3c4d).u16(1).u16(0).u64(~0ull)); }
    file_bytes& interface(std::uint16_t link, std::string_view options = {}, std::uint32_t snapshot = 0) {
        return block(1, part().u16(link).u16(0).u32(snapshot).text(options));
    }
    file_bytes& enhanced(std::uint32_t interface, std::uint64_t ticks, std::string_view bytes,
                         std::size_t more = 0) {
        auto body = part().u32(interface).u32(ticks >> 32).u32(ticks & 0xffffffff);
        return block(6, body.u32(bytes.size()).u32(bytes.size() + more).text(bytes));
    }
    file_bytes& obsolete(std::uint16_t interface, std::uint64_t ticks, std::string_view bytes) {
        auto body = part().u16(interface).u16(7).u32(ticks >> 32).u32(ticks & 0xffffffff);
        return block(2, body.u32(bytes.size()).u32(bytes.size()).text(bytes));
    }
    file_bytes& simple(std::uint32_t length, std::string_view bytes) {
        return block(3, part().u32(length).text(bytes));
    }
    /// An option; its value must be padded to 4 octets when another follows.
    file_bytes& option(std::uint16_t code, std::string_view value) {
        auto padding = (4 - value.size() % 4) % 4;
        return u16(code).u16(value.size()).text(value).text(std::string(padding, '\0'));
    }

    std::string out;

private:
    file_bytes& number(std::uint64_t n, unsigned size) {
        for (unsigned i = 0; i < size; ++i)
            out += static_cast<char>(n >> 8 * (big_endian_ ? size - 1 - i : i) & 0xff);
        return *this;
    }

    bool big_endian_;
};

/// A member of a gzip file that stores octets (RFC 1952, RFC 1951 §3.2.4). `flip` damages its check sum.
inline std::string gzip_member(std::string_view bytes, std::uint32_t flip = 0) {
    std::uint32_t crc = ~0u;
    for (char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    file_bytes f;
    f.text(std::string_view("\x1f\x8b\x08\0\0\0\0\0\0\x03\x01", 11)).u16(bytes.size()).u16(~bytes.size());
    return f.text(bytes).u32(~crc ^ flip).u32(bytes.size()).out;
}

/// A directory that goes with the test.
class temporary_directory {
public:
    temporary_directory() {
        std::string name = (std::filesystem::temp_directory_path() / "sonde-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    temporary_directory(temporary_directory const&) = delete;
    ~temporary_directory() { std::filesystem::remove_all(path_); }

    std::string file(std::string const& name) const { return (path_ / name).string(); }
    std::string write(std::string const& name, std::string const& bytes) const {
        std::ofstream(file(name), std::ios::binary) << bytes;
        return file(name);
    }

private:
    std::filesystem::path path_;
};

inline std::string read_all(std::string const& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Octets as an open stream.
class memory_stream {
public:
    explicit memory_stream(std::string bytes) : bytes_(std::move(bytes)), stream_(std::tmpfile()) {
        std::fwrite(bytes_.data(), 1, bytes_.size(), stream_);
        std::rewind(stream_);
    }
    memory_stream(memory_stream const&) = delete;
    ~memory_stream() { std::fclose(stream_); }

    std::FILE* get() const { return stream_; }

private:
    std::string bytes_;
    std::FILE* stream_;
};

struct seen_frame {
    std::string bytes;
    std::uint32_t length = 0;
    std::int64_t nanoseconds = 0;
    sonde::link_type type{};
    int interface = 0;
    std::string interface_name;

    friend bool operator==(seen_frame const&, seen_frame const&) = default;
};

/// Everything that a file gives: its frames, and the errors on the way.
struct reading {
    std::vector<seen_frame> frames;
    std::vector<sonde::error_code> errors;
    std::string why;  // of the last error
};

inline reading read_on(sonde::capture_reader& reader) {
    reading r;
    for (;;) {
        sonde::error_code ec;
        if (auto f = reader.next(ec)) {
            std::string bytes(reinterpret_cast<char const*>(f->bytes.data()), f->bytes.size());
            r.frames.push_back({bytes, f->length, f->time.time_since_epoch().count(), f->type, f->interface,
                                reader.interface_name()});
        } else if (ec) {
            r.errors.push_back(ec);
            r.why = reader.why();
        } else {
            return r;
        }
    }
}

inline reading read_bytes(std::string const& bytes) {
    memory_stream stream(bytes);
    try {
        sonde::capture_reader reader(stream.get(), "test");
        return read_on(reader);
    } catch (boost::system::system_error const& e) {
        return {{}, {e.code()}, e.what()};
    }
}

/// How far this process's memory grows from here on, in KiB.
class memory_peak {
public:
    memory_peak() {
        ::malloc_trim(0);                               // memory kept for reuse would hide growth
        std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
        before_ = now();
    }
    long growth() const { return now() - before_; }

private:
    static long now() {
        auto status = read_all("/proc/self/status");
        return std::stol(status.substr(status.find("VmHWM:") + 6));
    }
    long before_ = 0;
};

inline bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace support
