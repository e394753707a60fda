#include "net/local_ports.hpp"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>

namespace sonde::inline v0::detail {
namespace {

constexpr unsigned first_unprivileged = 1024, shortest = 4096, all = 65536;
using ports = std::bitset<all>;

std::optional<unsigned> take_port(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
    unsigned port = all;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failure != std::errc() || port >= all) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return port;
}

void set(ports& some, unsigned first, unsigned last, bool value) {
    for (auto p = first; p <= last; ++p) some[p] = value;
}

/// "8080,9148,20000-29999"
void release(ports& taken, std::string_view text) {
    while (auto first = take_port(text)) {
        auto last = first;
        if (text.starts_with('-')) text.remove_prefix(1), last = take_port(text);
        if (!last) return;
        set(taken, *first, *last, false);
        if (!text.starts_with(',')) return;
        text.remove_prefix(1);
    }
}

std::string content_of(char const* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

port_range ports_left_free(std::string_view automatic, std::string_view reserved) {
    auto first = take_port(automatic), last = take_port(automatic);
    if (!first || !last) return {};
    ports taken;
    set(taken, *first, *last, true);
    release(taken, reserved);
    unsigned best = 0, best_end = 0, length = 0;
    for (auto p = first_unprivileged; p < all; ++p) {
        length = taken[p] ? 0 : length + 1;
        if (length > best) best = length, best_end = p;
    }
    if (best < shortest) return {};
    return {static_cast<std::uint16_t>(best_end - best + 1), static_cast<std::uint16_t>(best_end)};
}

port_range free_ports() {
    return ports_left_free(content_of("/proc/sys/net/ipv4/ip_local_port_range"),
                           content_of("/proc/sys/net/ipv4/ip_local_reserved_ports"));
}

}  // namespace sonde::inline v0::detail
