# `cpack -G DEB` in a build tree makes Debian packages. The library's package is there when it is built shared
# (-D BUILD_SHARED_LIBS=ON); its name has the library's SONAME, so that versions that are not compatible stand side by side.
set(soname "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
set(CPACK_PACKAGE_NAME sonde)
set(CPACK_PACKAGE_VENDOR "The sonde authors")
set(CPACK_PACKAGE_CONTACT "The sonde authors <sonde@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL development)
if(BUILD_SHARED_LIBS)
    list(PREPEND CPACK_COMPONENTS_ALL runtime)
    set(from_here "libsonde${soname} (= ${PROJECT_VERSION}), ")
    set(CPACK_DEBIAN_COMMAND_PACKAGE_DEPENDS "libsonde${soname} (= ${PROJECT_VERSION})")
endif()
if(TARGET sonde_tool)
    list(APPEND CPACK_COMPONENTS_ALL command)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# What the programs link, asked of the system's own packages; of libsonde itself above.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${PROJECT_BINARY_DIR}/src")
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)

set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "The shared library, which programs that use sonde need.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME "libsonde${soname}")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_LIST_DIR}/debian/triggers")

set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Headers, and files for CMake and pkg-config: to build programs that use sonde.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsonde-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "${from_here}libboost1.81-dev | libboost-dev (>= 1.81), libfmt-dev, libpcap-dev")
if(ZLIB_FOUND)
    string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", zlib1g-dev")
endif()

set(CPACK_COMPONENT_COMMAND_DESCRIPTION "The sonde command: probes, scans, captures, and a private network to try them in.")
set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME sonde)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION net)
set(CPACK_DEBIAN_COMMAND_PACKAGE_RECOMMENDS libcap2-bin)
set(CPACK_DEBIAN_COMMAND_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_LIST_DIR}/debian/postinst")
set(CPACK_DEBIAN_COMMAND_PACKAGE_CONTROL_STRICT_PERMISSION ON)

include(CPack)
