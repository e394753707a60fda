#include "docs/support.hpp"

#include <unistd.h>

#include <filesystem>

namespace docs {

std::string temporary(std::string_view name) {
    auto file = "sonde-docs-" + std::to_string(getpid()) + "-" + std::string(name);
    return std::filesystem::temp_directory_path() / file;
}

}  // namespace docs
