#pragma once

#include "support/catch.hpp"

#include <sched.h>

namespace sonde::test {

/// Keeps the calling thread to the processor that it is on.
class one_processor {
public:
    one_processor() {
        REQUIRE(::sched_getaffinity(0, sizeof before_, &before_) == 0);
        cpu_set_t here;
        CPU_ZERO(&here);
        CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
        REQUIRE(::sched_setaffinity(0, sizeof here, &here) == 0);
    }
    ~one_processor() { ::sched_setaffinity(0, sizeof before_, &before_); }
    one_processor(one_processor const&) = delete;
    one_processor& operator=(one_processor const&) = delete;

private:
    cpu_set_t before_{};
};

}  // namespace sonde::test
