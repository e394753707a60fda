# Makes Debian packages of a build tree, and looks into them. Variables: build shared.
cmake_minimum_required(VERSION 3.25)

set(root "${build}/deb_test")
file(REMOVE_RECURSE "${root}")
execute_process(COMMAND ${CMAKE_CPACK_COMMAND} -G DEB -B "${root}" --config "${build}/CPackConfig.cmake"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

# package(NAME CONTENTS_PATTERN...): there is one such package, and each pattern is in its list of files.
function(package name)
    file(GLOB file "${root}/${name}_*.deb")
    list(LENGTH file count)
    if(NOT count EQUAL 1)
        message(FATAL_ERROR "${count} packages ${name}")
    endif()
    execute_process(COMMAND dpkg-deb --contents "${file}" OUTPUT_VARIABLE contents COMMAND_ERROR_IS_FATAL ANY)
    foreach(pattern IN LISTS ARGN)
        if(NOT contents MATCHES "${pattern}")
            message(FATAL_ERROR "${name} has no ${pattern}:\n${contents}")
        endif()
    endforeach()
    set(file "${file}" PARENT_SCOPE)
endfunction()

package(libsonde-dev "/usr/include/sonde/sonde.hpp" "pkgconfig/sonde.pc" "sonde-config.cmake" "libsonde.(a|so)")
execute_process(COMMAND dpkg-deb --field "${file}" Depends OUTPUT_VARIABLE depends COMMAND_ERROR_IS_FATAL ANY)
if(NOT depends MATCHES "libboost1.81-dev.*libfmt-dev.*libpcap-dev")
    message(FATAL_ERROR "libsonde-dev depends on ${depends}")
endif()

package(sonde "-rwxr-xr-x root/root .*/usr/bin/sonde")
execute_process(COMMAND dpkg-deb --info "${file}" postinst OUTPUT_VARIABLE postinst COMMAND_ERROR_IS_FATAL ANY)
if(NOT postinst MATCHES "setcap cap_net_raw" OR postinst MATCHES "chmod")
    message(FATAL_ERROR "sonde's postinst:\n${postinst}")
endif()

if(shared)
    package(libsonde0.1 "/libsonde.so.0.1.0" "/libsonde.so.0.1 -> libsonde.so.0.1.0")
endif()
file(REMOVE_RECURSE "${root}")
