# cmake -DFROM=CHECKOUT -DOUTSIDE=… -DPREFIX=… -DCOMPILER=… -P shared.cmake
# Builds shared libraries and the tools in OUTSIDE/build and installs them into PREFIX, where the tool finds the libraries.
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")

file(MAKE_DIRECTORY "${OUTSIDE}")
set(configure_shared "${CMAKE_COMMAND}" -S "${FROM}" -B "${OUTSIDE}/build" -G Ninja "-DCMAKE_CXX_COMPILER=${COMPILER}"
  -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
  -DAMPHIBUS_BUILD_BENCH=OFF -DAMPHIBUS_BUILD_EXAMPLES=OFF)
refused("AMPHIBUS_BUILD_TESTS needs static libraries" ${configure_shared} -DAMPHIBUS_BUILD_TESTS=ON)
refused("AMPHIBUS_PACKAGES needs" ${configure_shared} -DAMPHIBUS_BUILD_TESTS=OFF -DAMPHIBUS_PACKAGES=ON -DAMPHIBUS_BUILD_TOOLS=OFF)
run("" ${configure_shared} -DAMPHIBUS_BUILD_TESTS=OFF -DAMPHIBUS_PACKAGES=OFF -DAMPHIBUS_BUILD_TOOLS=ON
  "-DCMAKE_INSTALL_PREFIX=${PREFIX}")
run("" "${CMAKE_COMMAND}" --build "${OUTSIDE}/build")
file(REMOVE_RECURSE "${PREFIX}")
run("" "${CMAKE_COMMAND}" --install "${OUTSIDE}/build")
run("Usage: amphibus" "${PREFIX}/bin/amphibus" --help)
