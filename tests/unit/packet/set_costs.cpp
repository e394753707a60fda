#include "support/catch.hpp"

#include <sonde/layers/dns.hpp>
#include <sonde/packet/expression.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <new>

using namespace sonde;

namespace {

std::size_t allocations = 0;  // of this program

std::size_t allocations_of_one(std::string const& expression) {
    auto const set = parse_packet(expression);
    random_source random(1);
    (void)set.at(1, random);
    auto const before = allocations;
    (void)set.at(set.size() - 1, random);
    return allocations - before;
}

}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* p = std::malloc(size)) return p;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
    ++allocations;
    return std::malloc(size);
}
void operator delete(void* p) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}

TEST_CASE("One packet of a set costs the same however many there are, where lengths vary too") {
    auto const questions = [](int n) {
        return allocations_of_one(
            fmt::format("UDP()/DNS(qd=DNSQR(qname='www.example.org', qtype=(1, {})))", n));
    };
    CHECK(questions(5000) == questions(5));
    auto const names = [](int n) {
        std::string list;
        for (int i = 0; i < n; ++i) list += fmt::format("'198.18.{}.{}', ", i / 200, i % 200);
        return allocations_of_one("IP(dst=[" + list + "])/UDP()/DNS(qd=DNSQR(qname=['a', 'b', 'c']))");
    };
    CHECK(names(2000) == names(20));
}
