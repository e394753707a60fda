# The library, its headers, the command, and a package for find_package(sonde).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(sonde_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/sonde")

install(TARGETS sonde EXPORT sonde_targets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT sonde_targets NAMESPACE sonde:: DESTINATION "${sonde_config_dir}")

configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/sonde_config.cmake.in" "${PROJECT_BINARY_DIR}/sonde_config.cmake"
    INSTALL_DESTINATION "${sonde_config_dir}"
)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/sonde_config_version.cmake" COMPATIBILITY SameMinorVersion)
# The names that find_package looks for: sonde-config.cmake and sonde-config-version.cmake.
install(FILES "${PROJECT_BINARY_DIR}/sonde_config.cmake"
    DESTINATION "${sonde_config_dir}" RENAME sonde-config.cmake)
install(FILES "${PROJECT_BINARY_DIR}/sonde_config_version.cmake"
    DESTINATION "${sonde_config_dir}" RENAME sonde-config-version.cmake)
install(FILES "${PROJECT_SOURCE_DIR}/cmake/FindPCAP.cmake" DESTINATION "${sonde_config_dir}")

if(TARGET sonde_tool)
    install(TARGETS sonde_tool RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
