# Installs the libraries with their headers, a CMake package (components zeromq, testing, schemas) and pkg-config files.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/amphibus")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

# What may be left out of a build is left out of its package.
set(AMPHIBUS_PACKAGE_COMPONENTS)
function(amphibus_install_component component target)
  if(NOT TARGET ${target})
    return()
  endif()
  get_target_property(type ${target} TYPE)
  set(headers)
  if(NOT type STREQUAL "EXECUTABLE")
    set(headers FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  endif()
  install(TARGETS ${target} EXPORT amphibus-${component} ${headers})
  install(EXPORT amphibus-${component} NAMESPACE amphibus:: FILE amphibus-${component}.cmake DESTINATION "${package_dir}")
  list(APPEND AMPHIBUS_PACKAGE_COMPONENTS ${component})
  set(AMPHIBUS_PACKAGE_COMPONENTS ${AMPHIBUS_PACKAGE_COMPONENTS} PARENT_SCOPE)
endfunction()

amphibus_install_component(amphibus amphibus)
amphibus_install_component(zeromq amphibus_zeromq)
amphibus_install_component(testing amphibus_testing)
amphibus_install_component(schemas amphibus_schemac)

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/amphibusConfig.cmake.in" "${PROJECT_BINARY_DIR}/amphibusConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/amphibusConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/amphibusConfig.cmake" "${PROJECT_BINARY_DIR}/amphibusConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/amphibus_add_schemas.cmake" DESTINATION "${package_dir}")

foreach(file amphibus amphibus-zeromq)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${file}.pc.in" "${PROJECT_BINARY_DIR}/${file}.pc" @ONLY)
endforeach()
install(FILES "${PROJECT_BINARY_DIR}/amphibus.pc" DESTINATION "${pkgconfig_dir}")
if(TARGET amphibus_zeromq)
  install(FILES "${PROJECT_BINARY_DIR}/amphibus-zeromq.pc" DESTINATION "${pkgconfig_dir}")
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")
