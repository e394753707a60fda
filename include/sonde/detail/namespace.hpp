#pragma once

/// The namespace of every public header, and what a shared library exports: docs/design/abi.md says why so.
///
/// `v0` is the major version: two versions in one process do not mix. Programs write `sonde::X`.
///
/// The library is compiled with hidden visibility, and what stands between BEGIN and END is exported. A
/// pragma, because clang takes an attribute of the namespace for this block of it alone, and would hide a
/// function that is declared here and defined in a source file.
#define SONDE_NAMESPACE_BEGIN                                 \
    _Pragma("GCC visibility push(default)") namespace sonde { \
        inline namespace v0 {
#define SONDE_NAMESPACE_END \
    }                       \
    }                       \
    _Pragma("GCC visibility pop")

/// Exported though it stands in somebody else's namespace: a specialization that has functions in src/.
#define SONDE_API [[gnu::visibility("default")]]

/// Not exported though a public header names it: a class that is defined in src/. Users are not told: g++
/// warns of their coroutines, whose frames would hold what is less visible than themselves.
#ifdef SONDE_BUILDING
#define SONDE_PRIVATE [[gnu::visibility("hidden")]]
#else
#define SONDE_PRIVATE
#endif
