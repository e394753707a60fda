# How our own sources are compiled. Nothing here reaches those who use the library.
add_library(sonde_flags INTERFACE)
target_compile_options(sonde_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wpedantic)
# g++ 12, optimizing, is wrong about every moved std::variant and about text added to a std::string.
foreach(warning IN ITEMS maybe-uninitialized restrict)
    target_compile_options(sonde_flags INTERFACE
        $<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:-Wno-${warning}>)
endforeach()

# Hardening, of what is built from here only: a project that sonde is a part of has flags of its own. _FORTIFY_SOURCE
# needs optimization, and sanitizers find what it finds, and more.
if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(sonde_flags INTERFACE -fstack-protector-strong)
    target_compile_definitions(sonde_flags INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
    if(NOT SONDE_SANITIZE)
        set(optimized $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
        target_compile_options(sonde_flags INTERFACE
            $<${optimized}:-U_FORTIFY_SOURCE> $<${optimized}:-D_FORTIFY_SOURCE=3>)
    endif()
endif()

# g++ clears what has 33 bytes or more with an instruction that takes 25 cycles and more to begin, in packets, fields and
# operations alike: stores one after the other, or memset, take 6 to 13.
include(CheckCXXCompilerFlag)
set(sonde_clearing -mmemset-strategy=libcall:-1:noalign)
check_cxx_compiler_flag(${sonde_clearing} SONDE_CLEARS_INLINE)
if(SONDE_CLEARS_INLINE AND NOT SONDE_SANITIZE)
    target_compile_options(sonde_flags INTERFACE ${sonde_clearing})
endif()

if(SONDE_WERROR)
    target_compile_options(sonde_flags INTERFACE -Werror)
endif()

# For programs with coroutines: g++ 12 is wrong about Asio's futures and recycled memory.
function(sonde_coroutine_program target)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-mismatched-new-delete)
    endif()
endfunction()

# Sanitizers must be on for every object that is linked together, so they are set for the directory.
if(SONDE_SANITIZE)
    list(JOIN SONDE_SANITIZE "," sonde_sanitizers)
    add_compile_options(-fsanitize=${sonde_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${sonde_sanitizers})
endif()

# The fuzzer's feedback from everything that it drives; tests/fuzz links its main function.
if(SONDE_BUILD_FUZZERS)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(PROJECT_IS_TOP_LEVEL)
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
    set(CMAKE_CXX_EXTENSIONS OFF)
    find_program(CCACHE_PROGRAM ccache)
    if(CCACHE_PROGRAM AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
        set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
    endif()
endif()
