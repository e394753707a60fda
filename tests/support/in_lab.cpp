// A program of tests that probe the lab's hosts probes nothing elsewhere: started by hand, outside `sonde
// lab`, it would send to whatever has their addresses there.
#include "support/kernel_stamps.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

[[maybe_unused]] bool const in_lab = [] {
    if (std::getenv("SONDE_LAB")) return true;
    std::fputs("these tests run in the lab: sonde lab -- PROGRAM\n", stderr);
    std::_Exit(2);
}();
sonde::test::kernel_stamps const stamps;

}  // namespace
