#include <sonde/capture/capture_reader.hpp>

#include "capture/format.hpp"
#include "capture/gzip.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {

namespace detail {

std::optional<link_type> known_link_type(std::uint32_t value) {
    switch (value) {
        case 12:
        case 14: return link_type::raw;
        case 108: return link_type::null;  // the family in network byte order: read in either
        case 0:
        case 1:
        case 101:
        case 113:
        case 228:
        case 229:
        case 276: return static_cast<link_type>(value);
        default: return {};
    }
}

void fail_link_type(capture_input const& input, std::uint32_t value) {
    input.fail(errc::unsupported_link_type, fmt::format("link type {}", value));
}

void check_frame_size(capture_input const& input, std::size_t captured) {
    if (captured > capture_reader::largest_frame)
        input.damaged(
            fmt::format("a frame of {} bytes, at most {} are read", captured, capture_reader::largest_frame));
}

namespace {

std::array<std::byte, 4> read_magic(capture_input& input) {
    input.begin_record();
    std::array<std::byte, 4> magic;
    std::ranges::copy(input.read(4), magic.begin());
    return magic;
}

std::unique_ptr<capture_format> make_format(capture_input& input) {
    auto magic = read_magic(input);
    if (is_compressed(magic) && input.expand(magic)) magic = read_magic(input);
    if (auto f = make_pcap(input, magic)) return f;
    if (auto f = make_pcapng(input, magic)) return f;
    input.damaged(is_compressed(magic) ? "compressed by gzip: decompress it first (gunzip)"
                                       : "neither pcap nor pcapng");
}

[[noreturn]] void throw_failure(capture_failure const& f) {
    if (f.code.category() == sonde_category()) throw error(static_cast<errc>(f.code.value()), f.why);
    throw boost::system::system_error(f.code, f.why);
}

}  // namespace
}  // namespace detail

struct capture_reader::state {
    detail::capture_input input;
    std::unique_ptr<detail::capture_format> format;
    std::string why;
    bool ended = false;

    template <class... Args>
    static std::unique_ptr<state> open(Args&&... args) {
        try {
            auto s =
                std::unique_ptr<state>(new state{detail::capture_input(std::forward<Args>(args)...), {}, {}});
            s->format = detail::make_format(s->input);
            return s;
        } catch (detail::capture_failure const& f) {
            detail::throw_failure(f);
        }
    }
};

capture_reader::capture_reader(std::string const& path) : state_(state::open(path)) {}
capture_reader::capture_reader(std::FILE* stream, std::string name)
    : state_(state::open(stream, std::move(name))) {}
capture_reader::capture_reader(capture_reader&&) noexcept = default;
capture_reader& capture_reader::operator=(capture_reader&&) noexcept = default;
capture_reader::~capture_reader() = default;

std::optional<frame> capture_reader::next(error_code& ec) {
    auto& s = *state_;
    ec = {};
    s.why.clear();
    if (s.ended) return {};
    try {
        auto f = s.format->next();
        s.ended = !f;
        return f;
    } catch (detail::capture_failure const& f) {
        s.ended = f.code != errc::unsupported_link_type;
        ec = f.code;
        s.why = f.why;
        return {};
    }
}

std::optional<frame> capture_reader::next() {
    error_code ec;
    auto f = next(ec);
    if (ec) detail::throw_failure({ec, why()});
    return f;
}

std::string const& capture_reader::why() const noexcept {
    return state_->why;
}

std::string const& capture_reader::interface_name() const noexcept {
    return state_->format->interface_name();
}

}  // namespace sonde::inline v0
