#include <sonde/detail/function.hpp>

#include "support/catch.hpp"

#include <array>
#include <memory>
#include <string>

using sonde::detail::function_ref;
using sonde::detail::unique_function;

namespace {

// Counts its living copies.
struct counted {
    explicit counted(int& alive) : alive_(&alive) { ++*alive_; }
    counted(counted&& other) noexcept : alive_(other.alive_) { ++*alive_; }
    ~counted() { --*alive_; }
    int operator()(int x) const { return x + *alive_; }
    int* alive_;
};

int call(function_ref<int(int)> f) {
    return f(20);
}

}  // namespace

TEST_CASE("a function_ref calls the object that it borrows", "[link]") {
    int calls = 0;
    auto count = [&](int x) { return calls += x; };
    CHECK(call(count) == 20);
    CHECK(call(count) == 40);
    CHECK(call([](int x) { return x + 1; }) == 21);
    auto const constant = [](int x) { return x + 2; };
    CHECK(call(constant) == 22);
}

TEST_CASE("a unique_function owns a callable that only moves", "[link]") {
    unique_function<std::string(int)> f = [p = std::make_unique<int>(7)](int x) {
        return std::to_string(*p + x);
    };
    auto g = std::move(f);
    CHECK(!f);
    REQUIRE(g);
    CHECK(g(3) == "10");
}

TEST_CASE("a unique_function destroys a small callable exactly once", "[link]") {
    int alive = 0;
    {
        unique_function<int(int)> f = counted(alive);
        CHECK(alive == 1);
        unique_function<int(int)> g(std::move(f));
        CHECK(alive == 1);
        f = std::move(g);
        CHECK(alive == 1);
        CHECK(f(1) == 2);
        f = unique_function<int(int)>();
        CHECK(alive == 0);
        f = counted(alive);
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
}

TEST_CASE("a unique_function keeps a callable too large for its room on the heap", "[link]") {
    int alive = 0;
    {
        std::array<int, 100> ballast{};
        ballast[99] = 5;
        unique_function<int(int)> f = [ballast, c = counted(alive)](int x) { return c(x) + ballast[99]; };
        auto g = std::move(f);
        CHECK(alive == 1);
        CHECK(g(1) == 7);
    }
    CHECK(alive == 0);
}

TEST_CASE("a unique_function may be replaced by itself", "[link]") {
    int alive = 0;
    unique_function<int(int)> f = counted(alive);
    auto& same = f;
    f = std::move(same);
    CHECK(alive == 1);
    CHECK(f(1) == 2);
}
