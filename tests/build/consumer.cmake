# Builds and runs tests/build/consumer against sonde as a user gets it.
# how: find_package or pkg_config (installed to a directory of its own first), add_subdirectory or FetchContent; or
# quickstart: the project of docs/quickstart.md, as a stranger builds it, whose program then pings a host of the lab.
# The other variables are the build tree's: source build compiler launcher type shared generator command.
cmake_minimum_required(VERSION 3.25)

set(root "${build}/consumer_${how}")
file(REMOVE_RECURSE "${root}")
set(ENV{CCACHE_NOHASHDIR} 1)  # the same sources with the same flags: as a part, the library is compiled once for both ways

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Compiled by hand, with what pkg-config says and nothing else.
function(build_by_pkg_config)
    find_program(pkg_config NAMES pkg-config pkgconf REQUIRED)
    file(GLOB_RECURSE pc "${root}/prefix/*/sonde.pc")
    cmake_path(GET pc PARENT_PATH pc_directory)
    set(ENV{PKG_CONFIG_PATH} "${pc_directory}:$ENV{PKG_CONFIG_PATH}")
    # Installed anywhere, moved anywhere: the file finds what stands beside it.
    execute_process(COMMAND "${pkg_config}" --cflags --libs sonde
        OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    message("pkg-config: ${flags}")
    separate_arguments(flags UNIX_COMMAND "${flags}")
    if(NOT shared)
        if(NOT "-lpcap" IN_LIST flags)
            message(FATAL_ERROR "a static sonde is linked together with libpcap, which sonde.pc does not name")
        endif()
    endif()
    cmake_path(GET pc_directory PARENT_PATH library_directory)
    run("${compiler}" -std=c++20 "${source}/tests/build/consumer/main.cpp" -o "${root}/consumer"
        ${flags} "-Wl,-rpath,${library_directory}")
    run("${root}/consumer")
endfunction()

set(project "${source}/tests/build/consumer")
if(how STREQUAL "quickstart")
    set(project "${source}/examples/quickstart")
endif()
set(configure ${CMAKE_COMMAND} -S "${project}" -B "${root}/build" -G "${generator}"
    -D "CMAKE_CXX_COMPILER=${compiler}"
    -D "CMAKE_CXX_COMPILER_LAUNCHER=${launcher}"
    -D "CMAKE_BUILD_TYPE=${type}"
)
if(shared)
    list(APPEND configure -D "BUILD_SHARED_LIBS=${shared}")
endif()
if(how MATCHES "^(find_package|pkg_config|quickstart)$")
    run(${CMAKE_COMMAND} --install "${build}" --prefix "${root}/first")
    file(RENAME "${root}/first" "${root}/prefix")  # a package that knows where it was does not work now
endif()
if(how STREQUAL "pkg_config")
    build_by_pkg_config()
    file(REMOVE_RECURSE "${root}")
    return()
endif()
if(how MATCHES "^(find_package|quickstart)$")
    run(${configure} -D "CMAKE_PREFIX_PATH=${root}/prefix")
elseif(how STREQUAL "FetchContent")
    run(${configure} -D SONDE_FETCH=ON -D "FETCHCONTENT_SOURCE_DIR_SONDE=${source}" -D FETCHCONTENT_FULLY_DISCONNECTED=ON)
else()
    run(${configure} -D "SONDE_SOURCE=${source}")
endif()
run(${CMAKE_COMMAND} --build "${root}/build")
if(how STREQUAL "quickstart")
    execute_process(COMMAND "${command}" lab -- "${root}/build/ping"
        OUTPUT_VARIABLE answer COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
    message("${answer}")
    if(NOT answer MATCHES "echo-reply")
        message(FATAL_ERROR "a host of the lab does not answer")
    endif()
else()
    run("${root}/build/consumer")
endif()
if(how MATCHES "^(add_subdirectory|FetchContent)$")
    # The host has no tests and installs nothing, so there are none, and nothing is installed.
    execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --test-dir "${root}/build" -N OUTPUT_VARIABLE tests ERROR_QUIET)
    run(${CMAKE_COMMAND} --install "${root}/build" --prefix "${root}/installed")
    if(tests MATCHES "Total Tests: [1-9]" OR EXISTS "${root}/installed")
        message(FATAL_ERROR "sonde gives its host tests, or files to install: ${tests}")
    endif()
endif()
file(REMOVE_RECURSE "${root}")
