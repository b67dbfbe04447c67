# In a build that has these sources, find_package(amphibus) finds them: a part of the build need not know whether Amphibus
# comes from the system or from a neighbouring folder.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(AMPHIBUS_LINKED_IN)
if(NOT BUILD_SHARED_LIBS)
  set(AMPHIBUS_LINKED_IN isal zmq)
endif()
# Before 1.0 a minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/amphibusConfigVersion.cmake" COMPATIBILITY SameMinorVersion)

string(CONCAT AMPHIBUS_WHY_ABSENT "the build that has the sources of Amphibus leaves it out; its switches are AMPHIBUS_WITH_ZEROMQ and "
  "AMPHIBUS_BUILD_TOOLS, and it warns about what a switch needs")
set(redirects "${CMAKE_FIND_PACKAGE_REDIRECTS_DIR}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/amphibusConfig.cmake.in" "${redirects}/amphibus-config.cmake"
  INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/amphibus" NO_SET_AND_CHECK_MACRO)
file(COPY_FILE "${PROJECT_BINARY_DIR}/amphibusConfigVersion.cmake" "${redirects}/amphibus-config-version.cmake")
