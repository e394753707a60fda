#include "tool/text_commands.hpp"

#include <cstdio>
#include <string_view>

// The text commands alone, for the checks in this directory: `golden_text build|dissect|match ARGUMENTS`.
int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + (argc > 1 ? 2 : 1), argv + argc);
    std::string_view command = argc > 1 ? argv[1] : "";
    if (command == "build") return sonde::tool::run_build(arguments);
    if (command == "dissect") return sonde::tool::run_dissect(arguments);
    if (command == "match") return sonde::tool::run_match(arguments);
    std::fputs("usage: golden_text build|dissect|match ARGUMENTS\n", stderr);
    return 2;
}
