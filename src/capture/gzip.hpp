#pragma once

#include "capture/input.hpp"

namespace sonde::inline v0::detail {

/// True for octets that begin as gzip's do.
bool is_compressed(std::span<std::byte const> begin);
/// True when the file is there and begins so.
bool is_compressed(std::string const& path);

/// What a stream holds that gzip compressed (RFC 1952), of which `begin` is read, expanded. The stream is
/// borrowed. Null where sonde was built without zlib. A read sets errno: ENODATA where the compressed data
/// end too early, EBADMSG where they are damaged, else the stream's.
owned_stream expand(std::FILE* compressed, std::span<std::byte const> begin);

}  // namespace sonde::inline v0::detail
