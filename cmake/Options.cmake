# Every switch of the build. A project that embeds Amphibus gets the libraries and nothing else.
set(may_test ${PROJECT_IS_TOP_LEVEL})
if(BUILD_SHARED_LIBS)
  set(may_test OFF)  # the unit tests reach into src/, which a shared library hides
endif()
option(AMPHIBUS_BUILD_TESTS "Build the tests; needs static libraries" ${may_test})
option(AMPHIBUS_BUILD_BENCH "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(AMPHIBUS_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(AMPHIBUS_BUILD_TOOLS "Build the schema generator and the tool amphibus" ${PROJECT_IS_TOP_LEVEL})
option(AMPHIBUS_INSTALL "Make the install targets" ${PROJECT_IS_TOP_LEVEL})
option(AMPHIBUS_PACKAGES "Make the target package: Debian packages of shared libraries" OFF)
option(AMPHIBUS_WITH_ZEROMQ "Build the ZeroMQ transport" ON)
set(AMPHIBUS_SANITIZER "" CACHE STRING "Sanitizer for our own targets: address, thread, fuzz (clang) or empty")
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
if(BUILD_SHARED_LIBS AND AMPHIBUS_BUILD_TESTS)
  message(FATAL_ERROR "AMPHIBUS_BUILD_TESTS needs static libraries, because the tests reach into src/: "
    "leave out -DBUILD_SHARED_LIBS=ON or -DAMPHIBUS_BUILD_TESTS=ON")
endif()
if(AMPHIBUS_PACKAGES AND NOT (BUILD_SHARED_LIBS AND AMPHIBUS_INSTALL AND AMPHIBUS_BUILD_TOOLS))
  message(FATAL_ERROR "AMPHIBUS_PACKAGES needs -DBUILD_SHARED_LIBS=ON, -DAMPHIBUS_INSTALL=ON and -DAMPHIBUS_BUILD_TOOLS=ON: "
    "cmake --preset package sets them")
endif()
