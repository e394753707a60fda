# Builds and runs tests/build/consumer against sonde as a user gets it.
# how: find_package (installed to a directory of its own first) or add_subdirectory. The other variables are the
# build tree's: source build compiler launcher type shared generator.
cmake_minimum_required(VERSION 3.25)

set(root "${build}/consumer_${how}")
file(REMOVE_RECURSE "${root}")
set(ENV{CCACHE_NOHASHDIR} 1)  # the same sources at the same paths: the library is not compiled again

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(configure ${CMAKE_COMMAND} -S "${source}/tests/build/consumer" -B "${root}/build" -G "${generator}"
    -D "CMAKE_CXX_COMPILER=${compiler}"
    -D "CMAKE_CXX_COMPILER_LAUNCHER=${launcher}"
    -D "CMAKE_BUILD_TYPE=${type}"
    -D "BUILD_SHARED_LIBS=${shared}"
)
if(how STREQUAL "find_package")
    run(${CMAKE_COMMAND} --install "${build}" --prefix "${root}/prefix")
    run(${configure} -D "CMAKE_PREFIX_PATH=${root}/prefix")
else()
    run(${configure} -D "SONDE_SOURCE=${source}")
endif()
run(${CMAKE_COMMAND} --build "${root}/build")
run("${root}/build/consumer")
file(REMOVE_RECURSE "${root}")
