#include "support/catch.hpp"

#include <sonde/error.hpp>

using namespace sonde;

TEST_CASE("An error's message says what is wrong, and which heading of the documentation has more",
          "[packet]") {
    CHECK(make_error_code(errc::no_route).message() ==
          "no route to the destination: see `ip route get ADDRESS` [docs/errors.md#no_route]");
    for (int i = 1; i <= static_cast<int>(errc::target_blocked); ++i) {
        auto text = error_code(i, sonde_category()).message();
        INFO(text);
        CHECK(text.find(" [docs/errors.md#") != std::string::npos);
        CHECK(text.ends_with("]"));
    }
    CHECK(error_code(0, sonde_category()).message() == "unknown error");
    CHECK(error_code(static_cast<int>(errc::target_blocked) + 1, sonde_category()).message() ==
          "unknown error");
}

TEST_CASE("What is thrown has its place before its message", "[packet]") {
    try {
        throw_error(errc::no_such_field, "IP: ttll");
    } catch (error const& e) {
        CHECK(std::string(e.what()).starts_with("IP: ttll: no such field [docs/errors.md#no_such_field]"));
        CHECK(e.code() == errc::no_such_field);
    }
}
