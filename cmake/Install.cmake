# Installs the libraries with their headers, a CMake package (amphibusConfig.cmake.in names its components) and pkg-config
# files, in three install components that become Debian packages: runtime, dev and tools.
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/amphibus")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

# amphibus_install(COMPONENT TARGET): what may be left out of a build is left out of its package.
function(amphibus_install component target)
  if(NOT TARGET ${target})
    return()
  endif()
  set(export COMPONENT dev)
  set(headers FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    set(export COMPONENT tools)
    set(headers)
    amphibus_find_siblings(${target} "../${CMAKE_INSTALL_LIBDIR}")
  endif()
  install(TARGETS ${target} EXPORT amphibus-${component}
    RUNTIME COMPONENT tools
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT dev
    ARCHIVE COMPONENT dev
    ${headers})
  install(EXPORT amphibus-${component} NAMESPACE amphibus:: FILE amphibus-${component}.cmake
    DESTINATION "${package_dir}" ${export})
endfunction()

amphibus_install(amphibus amphibus)
amphibus_install(zeromq amphibus_zeromq)
amphibus_install(testing amphibus_testing)
amphibus_install(schemas amphibus_schemac)
amphibus_install(tools amphibus_cli)

set(AMPHIBUS_WHY_ABSENT "it is not part of this installation; where Debian packages are used: sudo apt-get install libamphibus-dev amphibus-tools")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/amphibusConfig.cmake.in" "${PROJECT_BINARY_DIR}/amphibusConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
install(FILES "${PROJECT_BINARY_DIR}/amphibusConfig.cmake" "${PROJECT_BINARY_DIR}/amphibusConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/amphibus_add_schemas.cmake" DESTINATION "${package_dir}" COMPONENT dev)

# Static libraries leave to the program what they use inside; shared ones bring it.
set(visibility public)
if(BUILD_SHARED_LIBS)
  set(visibility private)
endif()
set(${visibility}_isal -lisal)
set(${visibility}_zmq -lzmq)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE to_prefix)
foreach(file amphibus amphibus-zeromq)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${file}.pc.in" "${PROJECT_BINARY_DIR}/${file}.pc" @ONLY)
endforeach()
install(FILES "${PROJECT_BINARY_DIR}/amphibus.pc" DESTINATION "${pkgconfig_dir}" COMPONENT dev)
if(TARGET amphibus_zeromq)
  install(FILES "${PROJECT_BINARY_DIR}/amphibus-zeromq.pc" DESTINATION "${pkgconfig_dir}" COMPONENT dev)
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT documents)
