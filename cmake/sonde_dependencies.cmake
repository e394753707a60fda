# Finds what sonde is built with. Whatever is missing is told at once, with the command that installs it.
set(sonde_missing "")
set(sonde_missing_packages "")

# sonde_need(FOUND? WHAT DEBIAN_PACKAGE...): note WHAT as missing unless FOUND? is true.
macro(sonde_need found what)
    if(NOT ${found})
        list(APPEND sonde_missing "${what}")
        list(APPEND sonde_missing_packages ${ARGN})
    endif()
endmacro()

# Debian 12 has 1.81 beside an older default; other releases have a newer one.
set(sonde_boost_version "")
if(EXISTS /etc/os-release)
    file(STRINGS /etc/os-release sonde_system REGEX "^(ID|VERSION_ID)=")
    if(sonde_system MATCHES "(^|;)ID=debian(;|$)" AND sonde_system MATCHES "VERSION_ID=\"12\"")
        set(sonde_boost_version 1.81)
    endif()
endif()

find_package(Boost 1.81 QUIET)
sonde_need(Boost_FOUND "Boost 1.81 or newer (headers)" libboost${sonde_boost_version}-dev)

find_package(fmt 9 QUIET)
sonde_need(fmt_FOUND "fmt 9 or newer" libfmt-dev)

find_package(PCAP QUIET)
sonde_need(PCAP_FOUND "libpcap" libpcap-dev)

find_package(ZLIB QUIET)  # without it, compressed capture files are refused

find_package(Threads QUIET)
sonde_need(Threads_FOUND "POSIX threads" libc6-dev)

if(SONDE_XDP)
    include(CheckCXXSourceCompiles)
    check_cxx_source_compiles("#include <linux/bpf.h>
        #include <linux/if_xdp.h>
        int main() { return BPF_XDP + BPF_LINK_CREATE + BPF_F_MMAPABLE + BPF_FUNC_skc_lookup_tcp + XDP_USE_NEED_WAKEUP == 0; }"
        sonde_has_xdp_headers)
    sonde_need(sonde_has_xdp_headers "kernel headers of Linux 5.10 or newer (for SONDE_XDP)" linux-libc-dev)
endif()

if(SONDE_BUILD_TOOLS AND Boost_FOUND)
    find_package(Boost 1.81 QUIET OPTIONAL_COMPONENTS program_options)
    if(TARGET Boost::program_options)
        set(sonde_has_program_options TRUE)
    endif()
    sonde_need(sonde_has_program_options "Boost.Program_options (for the sonde command, or -DSONDE_BUILD_TOOLS=OFF)"
        libboost-program-options${sonde_boost_version}-dev)
endif()

if(SONDE_BUILD_TESTS)
    find_package(Catch2 QUIET)
    sonde_need(Catch2_FOUND "Catch2 2.13 or 3 (for the tests, or -DSONDE_BUILD_TESTS=OFF)" catch2)
endif()

if(sonde_missing)
    list(JOIN sonde_missing "\n  " what)
    list(JOIN sonde_missing_packages " " packages)
    message(FATAL_ERROR "sonde needs what is not here:\n  ${what}\n"
        "On Debian and Ubuntu:\n  sudo apt-get install ${packages}\n"
        "Elsewhere, say where they are: -DCMAKE_PREFIX_PATH=DIR;DIR...")
endif()
