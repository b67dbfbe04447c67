# Warnings for our own targets only; a consumer never inherits them.
add_library(amphibus_warnings INTERFACE)
target_compile_options(amphibus_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(amphibus_warnings INTERFACE -Wno-restrict)  # GCC bug 105651: false on "literal" + std::string
endif()
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(amphibus_warnings INTERFACE -Werror)
endif()
