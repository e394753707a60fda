// A capture file, plain or compressed: whole records, then at most one error; cut anywhere, the same records;
// what was read is written, and reads the same. SONDE_FUZZ_PCAPNG: 0 or 1, which of the two formats.

#include "fuzz.hpp"

#include "unit/capture/support.hpp"

#include <sonde/capture/capture_writer.hpp>

#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

using namespace sonde;
using namespace sonde::test;

namespace {

struct close_stream {
    void operator()(std::FILE* f) const { std::fclose(f); }
};
/// In memory: a file of the system would take most of the time.
using stream = std::unique_ptr<std::FILE, close_stream>;

stream stream_of(std::string_view bytes) {
    stream s(::fmemopen(const_cast<char*>(bytes.data()), bytes.size(), "rb"));
    if (!s) std::abort();
    return s;
}

std::string compressed(std::string_view bytes) {
    std::string out(bytes.size() + 1024, '\0');
    z_stream z{};
    constexpr int gzip = 16 + MAX_WBITS, fast = 1, memory = 8;
    if (deflateInit2(&z, fast, Z_DEFLATED, gzip, memory, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

support::reading read_file(std::string_view bytes) {
    auto file = stream_of(bytes);
    try {
        capture_reader reader(file.get(), "capture");
        return support::read_on(reader);
    } catch (boost::system::system_error const& e) {
        return {{}, {e.code()}, e.what()};
    }
}

/// An error that ends the file stands last; frames of unknown link types may be refused before.
void check_errors(support::reading const& r) {
    for (std::size_t i = 0; i < r.errors.size(); ++i) {
        bool goes_on = r.errors[i] == errc::unsupported_link_type;
        bool ends = r.errors[i] == errc::truncated_file || r.errors[i] == errc::bad_file;
        if (!goes_on && !ends) throw violation("an error of another kind: " + r.errors[i].message());
        if (ends && i + 1 != r.errors.size()) throw violation("an error behind the one that ends the file");
    }
    for (auto const& f : r.frames)
        if (f.length < f.bytes.size()) throw violation("a frame that is longer than on the wire");
}

bool is_prefix(support::reading const& cut, support::reading const& whole) {
    return cut.frames.size() <= whole.frames.size() &&
           std::equal(cut.frames.begin(), cut.frames.end(), whole.frames.begin());
}

/// What can be written is read again as it was, but for the interfaces' numbers and names.
void check_rewriting(support::reading const& r, capture_format format) {
    char* data = nullptr;
    std::size_t size = 0;
    std::vector<support::seen_frame> written;
    {
        stream const file(::open_memstream(&data, &size));
        capture_writer writer(file.get(), "capture", {.format = format});
        for (auto f : r.frames) {
            frame one{.bytes = std::as_bytes(std::span(f.bytes)),
                      .length = f.length,
                      .time = timestamp(std::chrono::nanoseconds(f.nanoseconds)),
                      .type = f.type,
                      .interface = f.interface};
            try {
                writer.append(one);
            } catch (error const& e) {
                if (e.code() != errc::unsupported_link_type && e.code() != errc::value_out_of_range) throw;
                continue;
            }
            f.interface = 0, f.interface_name.clear();
            written.push_back(std::move(f));
        }
        writer.close();
    }
    std::unique_ptr<char, decltype(&std::free)> const owner(data, &std::free);
    auto const file = stream_of({data, size});
    capture_reader reader(file.get(), "capture");
    auto again = support::read_on(reader);
    for (auto& f : again.frames) f.interface = 0, f.interface_name.clear();
    if (!again.errors.empty()) throw violation("what was written is not read: " + again.why);
    if (again.frames != written)
        throw violation(
            fmt::format("{} frames are written and {} others read", written.size(), again.frames.size()));
}

bool is_ours(std::string_view bytes) {
    if (bytes.starts_with("\x1f\x8b")) return false;
    bool pcapng = bytes.starts_with("\x0a\x0d\x0d\x0a");
    return pcapng == bool(SONDE_FUZZ_PCAPNG);
}

}  // namespace

SONDE_FUZZ_TARGET(in) {
    enum { plain, is_gzip, to_compress };
    auto how = in.choice(3);
    auto cut = in.number();
    auto bytes = in.rest_as_text();
    if (how != is_gzip && !is_ours(bytes)) return rejected;
    auto whole = read_file(how == to_compress ? compressed(bytes) : std::string(bytes));
    check_errors(whole);
    if (how == to_compress && whole.frames != read_file(bytes).frames)
        throw violation("a compressed file gives other frames");
    auto part = read_file(bytes.substr(0, cut % (bytes.size() + 1)));
    check_errors(part);
    if (!is_prefix(part, whole)) throw violation("a cut file gives other frames");
    check_rewriting(whole, capture_format::pcap);
    check_rewriting(whole, capture_format::pcapng);
    return kept;
}
