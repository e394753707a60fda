// A main for targets where there is no libFuzzer: every file that is named, or lies in a directory that is
// named, is an input once.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace {

/// From memory of just its size, so that a read past its end is seen.
void replay(std::filesystem::path const& file) {
    std::ifstream in(file, std::ios::binary);
    std::vector<char> const bytes{std::istreambuf_iterator<char>(in), {}};
    std::vector<std::uint8_t> const exact(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t count = 0;
    for (int i = 1; i < argc; ++i) {
        std::filesystem::path const path(argv[i]);
        if (!std::filesystem::is_directory(path)) {
            replay(path), ++count;
            continue;
        }
        for (auto const& entry : std::filesystem::directory_iterator(path)) {
            // Told before the input is run: the last line names the one that ended the program.
            std::printf("%s\n", entry.path().c_str());
            std::fflush(stdout);
            replay(entry.path()), ++count;
        }
    }
    std::printf("%zu inputs\n", count);
    return count > 0 ? 0 : 1;
}
