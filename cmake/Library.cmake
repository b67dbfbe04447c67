# amphibus_library(TARGET NAME): what every library of ours has, static or shared: the alias amphibus::NAME and its name in
# the package, only public names visible (docs/adr/0013), and a soname that says which versions are interchangeable.
function(amphibus_library target name)
  add_library(amphibus::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}  # before 1.0 a minor version may break its users
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
  amphibus_find_siblings(${target} ".")
endfunction()

# amphibus_find_siblings(TARGET PATH): an installed shared TARGET looks for our other libraries in PATH, seen from itself,
# unless they lie where the system looks anyway.
function(amphibus_find_siblings target path)
  if(BUILD_SHARED_LIBS AND NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/${path}")
  endif()
endfunction()
