#include "wide.hpp"

#include <sonde/packet/field.hpp>

#include <fmt/format.h>

#include <sys/random.h>

#include <cerrno>

namespace sonde::inline v0 {

using detail::join, detail::split, detail::wide;

random_source random_source::from_system() {
    std::uint64_t seed = 0;
    while (::getrandom(&seed, sizeof seed, 0) < 0 && errno == EINTR) {
    }
    return random_source(seed);
}

std::uint64_t random_source::up_to(std::uint64_t last) {
    // Lemire's multiplication, with rejection so that no value is favoured.
    if (last == std::numeric_limits<std::uint64_t>::max()) return next();
    auto count = last + 1;
    auto reject = (0 - count) % count;
    for (;;) {
        auto product = static_cast<wide>(next()) * count;
        if (static_cast<std::uint64_t>(product) >= reject) return static_cast<std::uint64_t>(product >> 64);
    }
}

wire_value random_source::draw(random_interval const& interval) {
    auto const& [first, last, by_octet] = interval;
    wire_value v;
    if (by_octet) {
        for (int shift = 40; shift >= 0; shift -= 8) {
            auto a = first.low >> shift & 255, b = last.low >> shift & 255;
            v.low |= (a + up_to(b - a)) << shift;
        }
        return v;
    }
    if (first.high == last.high) return {first.high, first.low + up_to(last.low - first.low)};
    // What lies above the interval, in its last piece of 2^64, is drawn again.
    auto const span = split(join(last) - join(first));
    do v = {up_to(span.high), next()};
    while (v.high == span.high && v.low > span.low);
    return split(join(first) + join(v));
}

namespace {

template <class Address>
random_interval network_interval(std::string_view network) {
    field<Address> f{network};
    field_content c;
    f.read(c);
    if (c.state == field_state::single) return {c.first, c.first};
    if (c.state != field_state::network) throw_error(errc::bad_text, fmt::format("network \"{}\"", network));
    auto host = value_traits<Address>::width - static_cast<unsigned>(c.step);
    auto ones = [](unsigned n) { return n >= 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << n) - 1; };
    return {c.first, {c.first.high | (host > 64 ? ones(host - 64) : 0), c.first.low | ones(host)}};
}

}  // namespace

random_interval random_ip(std::string_view network) {
    return network_interval<ipv4>(network);
}
random_interval random_ip6(std::string_view network) {
    return network_interval<ipv6>(network);
}

random_interval random_mac(std::string_view pattern) {
    random_interval r{{}, {}, true};
    auto octet = [&](std::string_view s) -> std::uint64_t {
        std::uint64_t v = 0;
        if (s.empty() || s.size() > 2)
            throw_error(errc::bad_text, fmt::format("MAC template \"{}\"", pattern));
        for (char c : s) {
            int d = detail::hex_digit(c);
            if (d < 0) throw_error(errc::bad_text, fmt::format("MAC template \"{}\"", pattern));
            v = v << 4 | static_cast<unsigned>(d);
        }
        return v;
    };
    auto rest = pattern;
    for (int i = 0; i < 6; ++i) {
        auto end = std::min(rest.find(':'), rest.size());
        auto part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        std::uint64_t a = 0, b = 255;
        if (!part.empty() && part != "*") {
            auto dash = part.find('-');
            a = octet(part.substr(0, dash));
            b = dash == part.npos ? a : octet(part.substr(dash + 1));
        }
        if (a > b) throw_error(errc::bad_text, fmt::format("MAC template \"{}\"", pattern));
        r.first.low = r.first.low << 8 | a;
        r.last.low = r.last.low << 8 | b;
    }
    if (!rest.empty()) throw_error(errc::bad_text, fmt::format("MAC template \"{}\"", pattern));
    return r;
}

namespace detail {

void throw_out_of_range(long long value, unsigned bits) {
    throw error(errc::value_out_of_range, fmt::format("{} in a field of {} bits", value, bits));
}

void throw_out_of_range(unsigned long long value, unsigned bits) {
    throw error(errc::value_out_of_range, fmt::format("{} in a field of {} bits (largest {})", value, bits,
                                                      bits >= 64 ? ~0ull : (1ull << bits) - 1));
}

void throw_not_single(field_state state) {
    constexpr char const* what[] = {"automatic",   "one value", "a list",          "a range",     "a network",
                                    "a host name", "random",    "a random choice", "random text", "a set"};
    throw error(errc::not_a_single_value, what[static_cast<unsigned>(state)]);
}

void throw_long_list() {
    throw error(errc::set_too_large, "too long for a list inside a field: use sonde::values");
}

}  // namespace detail
}  // namespace sonde::inline v0
