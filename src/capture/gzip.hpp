#pragma once

#include "capture/input.hpp"

namespace sonde::inline v0::detail {

/// True when the file is there and begins as gzip's do.
bool is_compressed(std::string const& path);

/// Opens a file for reading, expanded when it is compressed by gzip (RFC 1952). Null, with errno, when it
/// cannot be opened. A read sets errno: ENODATA where the compressed data end too early, EBADMSG where they
/// are damaged, ENOTSUP for a compressed file where sonde was built without zlib.
owned_stream open_expanded(std::string const& path);

}  // namespace sonde::inline v0::detail
