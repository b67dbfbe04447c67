# Instruments our own targets: address (with undefined behaviour), thread, or fuzz.
add_library(amphibus_sanitizer INTERFACE)
if(AMPHIBUS_SANITIZER STREQUAL "address")
  set(flags -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(AMPHIBUS_SANITIZER STREQUAL "thread")
  set(flags -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
elseif(AMPHIBUS_SANITIZER STREQUAL "fuzz")  # counts for libFuzzer, and the source-based coverage of ./dev fuzz
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "AMPHIBUS_SANITIZER=fuzz needs clang: sudo apt-get install clang libclang-rt-14-dev llvm")
  endif()
  set(flags -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
    -fprofile-instr-generate -fcoverage-mapping)
elseif(NOT AMPHIBUS_SANITIZER STREQUAL "")
  message(FATAL_ERROR "AMPHIBUS_SANITIZER is '${AMPHIBUS_SANITIZER}'; allowed: address, thread, fuzz or empty")
endif()
if(DEFINED flags)
  target_compile_options(amphibus_sanitizer INTERFACE ${flags})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # false with instrumentation, as its manual says: std::regex in Catch2 and bsearch in FlatBuffers trip them
    target_compile_options(amphibus_sanitizer INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overread)
  endif()
  target_link_options(amphibus_sanitizer INTERFACE ${flags})
endif()
