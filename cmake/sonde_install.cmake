# The library, its headers, the command, and packages for those who look for sonde: by find_package, by pkg-config, and
# as Debian packages (sonde_debian.cmake). Component by component, as distributions cut it: what programs need to run
# (runtime), what they need to be built (development), and the command (command).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(sonde_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/sonde")

install(TARGETS sonde EXPORT sonde_targets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT development
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development)
install(EXPORT sonde_targets NAMESPACE sonde:: DESTINATION "${sonde_config_dir}" COMPONENT development)

configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/sonde_config.cmake.in" "${PROJECT_BINARY_DIR}/sonde_config.cmake"
    INSTALL_DESTINATION "${sonde_config_dir}"
)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/sonde_config_version.cmake" COMPATIBILITY SameMinorVersion)
# The names that find_package looks for: sonde-config.cmake and sonde-config-version.cmake.
install(FILES "${PROJECT_BINARY_DIR}/sonde_config.cmake"
    DESTINATION "${sonde_config_dir}" RENAME sonde-config.cmake COMPONENT development)
install(FILES "${PROJECT_BINARY_DIR}/sonde_config_version.cmake"
    DESTINATION "${sonde_config_dir}" RENAME sonde-config-version.cmake COMPONENT development)
install(FILES "${PROJECT_SOURCE_DIR}/cmake/FindPCAP.cmake" DESTINATION "${sonde_config_dir}" COMPONENT development)

# sonde.pc. Programs name fmt's functions themselves; the other libraries are the shared sonde's own affair, but a
# static one has nobody else to bring them.
set(sonde_pc_needs libpcap)
if(ZLIB_FOUND)
    list(APPEND sonde_pc_needs zlib)
endif()
list(JOIN sonde_pc_needs ", " sonde_pc_needs)
if(BUILD_SHARED_LIBS)
    set(sonde_pc_requires "Requires: fmt\nRequires.private: ${sonde_pc_needs}")
    set(sonde_pc_libs "Libs: -L\${libdir} -lsonde\nLibs.private: -pthread")
else()
    set(sonde_pc_requires "Requires: fmt, ${sonde_pc_needs}")
    set(sonde_pc_libs "Libs: -L\${libdir} -lsonde -pthread")
endif()
# Boost has no pkg-config file. Where it is no system's, its directory is told.
set(sonde_pc_boost "")
if(Boost_INCLUDE_DIRS AND NOT Boost_INCLUDE_DIRS IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
    set(sonde_pc_boost " -I${Boost_INCLUDE_DIRS}")
endif()
# Relative to the file itself, so that the directory may be installed, or moved, anywhere.
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_LIBDIR BASE_DIRECTORY "/prefix" OUTPUT_VARIABLE sonde_pc_libdir)
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_INCLUDEDIR BASE_DIRECTORY "/prefix" OUTPUT_VARIABLE sonde_pc_includedir)
foreach(directory IN ITEMS libdir includedir)
    string(REGEX REPLACE "^/prefix/" "\${prefix}/" sonde_pc_${directory} "${sonde_pc_${directory}}")
endforeach()
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(sonde_pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
    file(RELATIVE_PATH sonde_pc_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
    string(PREPEND sonde_pc_prefix "\${pcfiledir}/")
    string(REGEX REPLACE "/$" "" sonde_pc_prefix "${sonde_pc_prefix}")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/sonde.pc.in" "${PROJECT_BINARY_DIR}/sonde.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/sonde.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)

if(TARGET sonde_tool)
    install(TARGETS sonde_tool RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT command)
endif()

if(PROJECT_IS_TOP_LEVEL)
    include(sonde_debian)
endif()
