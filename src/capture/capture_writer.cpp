#include <sonde/capture/capture_writer.hpp>

#include "capture/gzip.hpp"
#include "capture/input.hpp"
#include "capture/output.hpp"

#include <sonde/capture/capture_reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>

namespace sonde::inline v0 {
namespace {

constexpr std::size_t buffer_size = std::size_t(64) << 10;

/// The link type of frames that begin with this layer. By name, as this room does not know the layers.
std::optional<link_type> link_type_of(layer_description const& outermost) {
    struct entry {
        std::string_view layer;
        link_type type;
    };
    static constexpr entry known[] = {
        {"Ether", link_type::ethernet},
        {"Dot3", link_type::ethernet},
        {"IP", link_type::raw},
        {"IPv6", link_type::raw},
        {"Loopback", link_type::null},
        {"CookedLinux", link_type::linux_sll},
        {"CookedLinuxV2", link_type::linux_sll2},
    };
    auto e = std::ranges::find(known, std::string_view(outermost.name), &entry::layer);
    return e == std::end(known) ? std::nullopt : std::optional(e->type);
}

}  // namespace

struct capture_writer::state {
    std::string name;
    std::unique_ptr<detail::capture_output> output;
    detail::owned_stream owned{};
    std::FILE* stream = nullptr;  // null when closed
    std::uint64_t frames = 0;
    std::uint64_t written = 0;        // octets in the file: it ends at a whole record
    std::vector<std::byte> buffer{};  // whole records, but for a pipe that took a part of the first

    void open(capture_options const& how);
    void append(frame const& f, std::string_view comment);
    void flush();
    void close();
    void drop_partial_write(std::size_t done);
};

namespace {

std::unique_ptr<detail::capture_output> make_output(std::string const& name, capture_options const& how) {
    bool pcapng = how.format == capture_format::pcapng ||
                  (how.format == capture_format::by_name && name.ends_with(".pcapng"));
    return pcapng ? detail::make_pcapng_output(how.interface_name) : detail::make_pcap_output();
}

/// What goes on in a file that is there; null when it is empty or missing. Reads it whole, as only that tells
/// whether it ends at a record.
std::unique_ptr<detail::capture_output> continue_output(std::string const& path, capture_options const& how) {
    std::error_code ec;
    if (auto size = std::filesystem::file_size(path, ec); ec || size == 0) return nullptr;
    if (detail::is_compressed(path)) throw_error(errc::bad_file, path + ": compressed: cannot append");
    capture_reader reader(path);
    error_code failure;
    while (reader.next(failure) || failure == errc::unsupported_link_type) {
    }
    if (failure) throw_error(static_cast<errc>(failure.value()), reader.why() + ": cannot append");
    detail::capture_input input(path);
    std::array<std::byte, 24> header{};
    std::ranges::copy(input.read(header.size()), header.begin());
    if (detail::byte_reader(header, false).u32(0) == 0x0a0d0d0a)
        return detail::make_pcapng_output(how.interface_name);
    auto output = detail::continue_pcap_output(header);
    if (!output) throw_error(errc::unsupported_link_type, path + ": cannot append");
    return output;
}

}  // namespace

void capture_writer::state::open(capture_options const& how) {
    if (how.append)
        if (auto existing = continue_output(name, how)) output = std::move(existing);
    owned.reset(std::fopen(name.c_str(), how.append ? "abe" : "wbe"));
    if (!owned) throw boost::system::system_error({errno, boost::system::system_category()}, name + ": open");
    stream = owned.get();
    std::setvbuf(stream, nullptr, _IONBF, 0);  // we have a buffer, which knows records
    std::error_code ec;
    if (how.append) written = std::filesystem::file_size(name, ec);
}

void capture_writer::state::append(frame const& f, std::string_view comment) {
    if (!stream) throw_error(errc::bad_file, fmt::format("{}: append after close", name));
    if (f.bytes.size() > capture_reader::largest_frame)
        throw_error(errc::value_out_of_range, fmt::format("{}: a frame of {} bytes, a record holds {}", name,
                                                          f.bytes.size(), capture_reader::largest_frame));
    output->check(f, comment, name);
    if (buffer.size() + f.bytes.size() > buffer_size) flush();
    output->begin(buffer, f.type);
    output->add(buffer, f, comment);
    ++frames;
}

void capture_writer::state::flush() {
    std::size_t done = 0;
    while (done < buffer.size()) {
        errno = 0;
        done += std::fwrite(buffer.data() + done, 1, buffer.size() - done, stream);
        if (done == buffer.size()) break;
        if (errno == EINTR) {
            std::clearerr(stream);
            continue;
        }
        error_code why(errno != 0 ? errno : EIO, boost::system::system_category());
        std::clearerr(stream);
        drop_partial_write(done);
        throw boost::system::system_error(why, name + ": write");
    }
    written += done;
    buffer.clear();
}

/// Cuts a file of our own back to the last whole record. What a pipe took is gone and must not be sent again.
void capture_writer::state::drop_partial_write(std::size_t done) {
    if (done == 0) return;
    std::error_code ec;
    // By descriptor: another file may have the name by now.
    if (owned) std::filesystem::resize_file(fmt::format("/proc/self/fd/{}", ::fileno(stream)), written, ec);
    if (owned && !ec && std::fseek(stream, static_cast<long>(written), SEEK_SET) == 0) return;
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(done));
    written += done;
}

void capture_writer::state::close() {
    if (!stream) return;
    if (written == 0) output->begin(buffer, link_type::ethernet);
    struct closing {
        state& s;
        ~closing() {
            s.stream = nullptr;
            s.owned.reset();
        }
    } at_exit{*this};
    flush();
    if (owned && std::fclose(owned.release()) != 0)
        throw boost::system::system_error({errno, boost::system::system_category()}, name + ": close");
}

capture_writer::capture_writer(std::string path, capture_options how)
    : state_(new state{.name = std::move(path), .output = {}}) {
    state_->output = make_output(state_->name, how);
    state_->open(how);
}

capture_writer::capture_writer(std::FILE* stream, std::string name, capture_options how)
    : state_(new state{.name = std::move(name), .output = {}, .stream = stream}) {
    state_->output = make_output(state_->name, how);
    // A stream of glibc's in memory (open_memstream) does not survive it.
    if (::fileno(stream) >= 0) std::setvbuf(stream, nullptr, _IONBF, 0);
}

capture_writer::capture_writer(capture_writer&&) noexcept = default;

capture_writer& capture_writer::operator=(capture_writer&& other) noexcept {
    capture_writer closing(std::move(*this));
    state_ = std::move(other.state_);
    return *this;
}

capture_writer::~capture_writer() {
    try {
        if (state_) state_->close();
    } catch (...) {  // NOLINT(bugprone-empty-catch): a destructor can tell nobody
    }
}

void capture_writer::append(frame const& f, std::string_view comment) {
    state_->append(f, comment);
}

void capture_writer::append(packet const& p, std::string_view comment) {
    if (p.is_template() && p.size() != 1) {
        for (auto const& one : p) append(one, comment);
        return;
    }
    auto bytes = p.build();
    frame f{.bytes = bytes,
            .time = p.time,
            .type = state_->output->only_type().value_or(link_type::ethernet),
            .interface = p.interface};
    if (!p.empty() && p.layers().front().layer->name != std::string_view("Raw")) {
        auto const& outermost = *p.layers().front().layer;
        auto type = link_type_of(outermost);
        if (!type)
            throw_error(errc::unsupported_link_type,
                        fmt::format("{}: packets that begin with {} have no link type", state_->name,
                                    outermost.name));
        f.type = *type;
    }
    auto known = p.view().bytes.size();
    auto cut = p.wire_length > known ? p.wire_length - known : 0;
    f.length = static_cast<std::uint32_t>(bytes.size() + cut);
    append(f, comment);
}

void capture_writer::flush() {
    if (state_->stream) state_->flush();
}

void capture_writer::close() {
    state_->close();
}

std::uint64_t capture_writer::frames() const noexcept {
    return state_->frames;
}

std::uint64_t write_pcap(std::string path, packet const& set, capture_options how) {
    capture_writer writer(std::move(path), how);
    writer.append(set);
    writer.close();
    return writer.frames();
}

}  // namespace sonde::inline v0
