# The target `package`: three Debian packages of the install components runtime, dev and tools.
set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(runtime_package libamphibus${soversion})  # Debian names a library's package after its soname

# What Debian wants beside every package's files: whose it is, and what changed.
file(ARCHIVE_CREATE OUTPUT "${PROJECT_BINARY_DIR}/changelog.gz" PATHS "${PROJECT_SOURCE_DIR}/CHANGELOG.md" FORMAT raw COMPRESSION GZip)
foreach(pair runtime:${runtime_package} dev:libamphibus-dev tools:amphibus-tools)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 component)
  list(GET pair 1 package)
  set(documents "${CMAKE_INSTALL_DATAROOTDIR}/doc/${package}")
  install(FILES "${PROJECT_BINARY_DIR}/changelog.gz" DESTINATION "${documents}" COMPONENT ${component})
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/copyright" DESTINATION "${documents}" COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime dev tools)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS  # whatever the umask
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_CONTACT "Amphibus developers <developers@amphibus.invalid>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Our own libraries belong to no package yet while the packages are made; who needs them says so below.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${PROJECT_BINARY_DIR}/src" "${PROJECT_BINARY_DIR}/transports/zeromq")
set(same_version "${runtime_package} (= ${PROJECT_VERSION})")

set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # it would stand before each of these
set(about "Amphibus is a typed publish/subscribe bus for C++20: lock-free queues inside one process, ZeroMQ between
processes, and a configuration file that decides which topic travels how.")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${runtime_package})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "typed message bus for C++20, shared libraries\n${about}")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libamphibus-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
# FlatBuffers only matters to who uses schemas, ZeroMQ to nobody who compiles.
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "${same_version}")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "amphibus-tools (= ${PROJECT_VERSION}), cmake")
set(CPACK_COMPONENT_DEV_DESCRIPTION "typed message bus for C++20, development files\n${about}")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME amphibus-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "${same_version}")
set(CPACK_DEBIAN_TOOLS_PACKAGE_RECOMMENDS "flatbuffers-compiler, libflatbuffers-dev")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "typed message bus for C++20, command line tools\n${about}")
include(CPack)
