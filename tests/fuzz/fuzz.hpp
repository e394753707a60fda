#pragma once

#include "support/frame_properties.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

// What the targets share. A target says yes to what its input shows, or ends the program.
namespace sonde::test {

/// The input, taken from the front.
class input {
public:
    input(std::uint8_t const* data, std::size_t size) : bytes_(std::as_bytes(std::span(data, size))) {}

    /// One of `n` things: the next byte says which; the first when there is none.
    std::size_t choice(std::size_t n) {
        auto first = take(1);
        return first.empty() ? 0 : std::to_integer<std::size_t>(first[0]) % n;
    }
    /// Sixteen bits, or fewer.
    std::size_t number() {
        std::size_t n = 0;
        for (auto b : take(2)) n = n << 8 | std::to_integer<std::size_t>(b);
        return n;
    }
    /// So many bytes, as far as there are.
    std::span<std::byte const> take(std::size_t size) {
        auto taken = bytes_.first(std::min(size, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }
    std::span<std::byte const> rest() { return take(bytes_.size()); }
    std::string_view rest_as_text() {
        auto all = rest();
        return {reinterpret_cast<char const*>(all.data()), all.size()};
    }

private:
    std::span<std::byte const> bytes_;
};

/// Runs the target: a violated property ends the program, as the fuzzer takes for a finding.
template <class Target>
int run(Target const& target, std::uint8_t const* data, std::size_t size) {
    try {
        return target(input(data, size));
    } catch (violation const& v) {
        std::fprintf(stderr, "%s\n", v.what());
        std::abort();
    }
}

/// Kept by the fuzzer when it shows something new, or not worth keeping.
inline constexpr int kept = 0, rejected = -1;

}  // namespace sonde::test

/// Defines the target: `SONDE_FUZZ_TARGET(in) { ... return kept; }`
#define SONDE_FUZZ_TARGET(in)                                                           \
    static int fuzz_target(sonde::test::input in);                                      \
    extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);  \
    extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) { \
        return sonde::test::run(fuzz_target, data, size);                               \
    }                                                                                   \
    static int fuzz_target(sonde::test::input in)
