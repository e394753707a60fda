#include "docs/support.hpp"

#include "support/own_path.hpp"

namespace docs {

std::string temporary(std::string_view name) {
    return support::own_path(name);
}

}  // namespace docs
