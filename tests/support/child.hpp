#pragma once

#include <unistd.h>

#include <cstdio>
#include <exception>

namespace support {

/// How a child ended that threw.
inline constexpr int child_threw = 101;

/// A forked child that runs `body` and ends with the status that it returns. What it throws, a failed REQUIRE
/// too, is its end as well: else it would go on as a second run of all the tests, and one failure would be
/// many.
template <class Body>
pid_t fork_to(Body const& body) {
    std::fflush(nullptr);  // or the child prints it once more
    pid_t child = ::fork();
    if (child != 0) return child;
    int status = child_threw;
    try {
        status = body();
    } catch (std::exception const& e) {
        std::fprintf(stderr, "thrown in a child: %s\n", e.what());
    } catch (...) {
        std::fputs("thrown in a child\n", stderr);
    }
    ::_exit(status);
}

}  // namespace support
