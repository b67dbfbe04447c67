# cmake -DEXPECTED=output.txt -P compare_output.cmake -- PROGRAM [ARGUMENT…]
# Fails unless the program ends with 0 and prints exactly what the file says. What goes to stderr is shown, not compared.
set(command "")
set(after_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(after_dashes)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(after_dashes TRUE)
  endif()
endforeach()

execute_process(COMMAND ${command} OUTPUT_VARIABLE printed ERROR_VARIABLE complained RESULT_VARIABLE code)
file(READ "${EXPECTED}" expected)
if(NOT code EQUAL 0 OR NOT printed STREQUAL expected)
  message(FATAL_ERROR "ended with ${code} and printed\n${printed}instead of\n${expected}stderr:\n${complained}")
endif()
