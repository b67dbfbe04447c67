# cmake -DOUTSIDE=… (as of shared.cmake) -P debs.cmake
# Packs the shared build and looks into the packages: names, versions, what needs what, what lies where, and whose it is.
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")

set(build "${OUTSIDE}/build")
file(GLOB old "${build}/*.deb")
if(old)
  file(REMOVE ${old})
endif()
run("" "${CMAKE_COMMAND}" -DAMPHIBUS_PACKAGES=ON -DCMAKE_INSTALL_PREFIX=/usr "${build}")
run("package .*generated" "${CMAKE_COMMAND}" --build "${build}" --target package)
file(GLOB packages "${build}/*.deb")
list(LENGTH packages count)
if(NOT count EQUAL 3)
  message(FATAL_ERROR "expected three packages: ${packages}")
endif()

# A package says `fields` (each a regular expression), has every one of `files` and nothing like `never`.
function(package_has name fields files never)
  file(GLOB deb "${build}/${name}_0.*.deb")
  run("" dpkg-deb --field "${deb}")
  foreach(field IN LISTS fields ITEMS "Package: ${name}\n" "Version: 0\\.[0-9]+\\.[0-9]+\n" "Maintainer: Amphibus developers <"
      "Priority: optional\n" "Description: [^\n]*typed message bus for C\\+\\+20, [^\n]*\n [^\n]*")
    if(NOT "${output}\n" MATCHES "${field}")
      message(SEND_ERROR "${name}: expected '${field}' in\n${output}")
    endif()
  endforeach()
  run("" dpkg-deb --contents "${deb}")
  foreach(file IN LISTS files ITEMS "/usr/share/doc/${name}/copyright" "/usr/share/doc/${name}/changelog.gz")
    if(NOT "${output}\n" MATCHES "\\.${file}( ->[^\n]*)?\n")
      message(SEND_ERROR "${name}: expected '${file}' in\n${output}")
    endif()
  endforeach()
  if(never AND output MATCHES "${never}")
    message(SEND_ERROR "${name}: '${CMAKE_MATCH_0}' belongs into another package")
  endif()
  string(REPLACE "\n" ";" lines "${output}")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^(drwxr-xr-x|-rw-r--r--|lrwxrwxrwx) root/root " AND NOT line MATCHES "^-rwxr-xr-x root/root [^\n]*/usr/bin/")
      message(SEND_ERROR "${name}: owner or permission: ${line}")
    endif()
  endforeach()
  message("${name}: in order")
endfunction()

set(lib "/usr/lib/[a-z0-9_]+-linux-gnu")
package_has(libamphibus0.1 "Section: libs\n;Depends: [^\n]*libisal2[^\n]*libzmq5"
  "${lib}/libamphibus\\.so\\.0\\.1;${lib}/libamphibus\\.so\\.0\\.1\\.0;${lib}/libamphibus_zeromq\\.so\\.0\\.1" "/include/|/bin/|/cmake/|\\.so\n")
package_has(libamphibus-dev "Section: libdevel\n;Depends: libamphibus0.1 \\(= 0\\.1\\.0\\)\n"
  "${lib}/libamphibus\\.so;${lib}/libamphibus_zeromq\\.so;${lib}/libamphibus_testing\\.a;/usr/include/amphibus/bus\\.hpp;${lib}/pkgconfig/amphibus\\.pc;\
${lib}/cmake/amphibus/amphibusConfig\\.cmake" "/bin/|\\./[^ \n]*\\.so\\.0")
package_has(amphibus-tools "Section: devel\n;Depends: [^\n]*libamphibus0.1 \\(= 0\\.1\\.0\\)"
  "/usr/bin/amphibus;/usr/bin/amphibus_schemac;${lib}/cmake/amphibus/amphibus-schemas\\.cmake" "/include/|\\.so")
