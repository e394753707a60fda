#pragma once

#include <sonde/detail/namespace.hpp>

SONDE_NAMESPACE_BEGIN
namespace detail {

/// AddressSanitizer finds what is used after it was freed: memory is not kept from it for the next use.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool address_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool address_sanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool address_sanitized = false;
#endif

}  // namespace detail
SONDE_NAMESPACE_END
