# cmake -DGENERATOR=… -DOUTSIDE=… -DSCHEMAC=… -DROOT=… -DCOMPILER=… -P walk.cmake
file(REMOVE_RECURSE "${OUTSIDE}")
file(COPY "${CMAKE_CURRENT_LIST_DIR}/project/" DESTINATION "${OUTSIDE}")
set(build "${OUTSIDE}/build")

# run(CODE EXPECTED command…): it ends with CODE (0 or 1 for anything else) and says EXPECTED, literally.
function(run code expected)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${OUTSIDE}" OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE got)
  if(NOT got EQUAL 0)
    set(got 1)
  endif()
  string(REGEX REPLACE "[ \n]+" " " out "${out}")  # CMake breaks long messages anywhere
  string(FIND "${out}" "${expected}" at)
  if(NOT got EQUAL code OR at EQUAL -1)
    message(FATAL_ERROR "${ARGN}\nended with ${got} instead of ${code}, or does not say '${expected}':\n${out}")
  endif()
  set(output "${out}" PARENT_SCOPE)
endfunction()

# generates(NAME…): a build runs the generator for exactly these schemas.
function(generates)
  run(0 "" "${CMAKE_COMMAND}" --build "${build}")
  string(REGEX MATCHALL "Schema [a-z]+\\.fbs" ran "${output}")
  list(TRANSFORM ran REPLACE "Schema ([a-z]+)\\.fbs" "\\1")
  list(SORT ran)
  if(NOT "${ran}" STREQUAL "${ARGN}")
    message(FATAL_ERROR "generated: '${ran}', expected '${ARGN}':\n${output}")
  endif()
endfunction()

# change(FILE FROM TO): and its time is later than everything that was generated before.
function(change file from to)
  file(READ "${OUTSIDE}/${file}" text)
  string(REPLACE "${from}" "${to}" text "${text}")
  file(WRITE "${OUTSIDE}/${file}" "${text}")
endfunction()

set(configure "${CMAKE_COMMAND}" -S "${OUTSIDE}" -B "${build}" -G "${GENERATOR}" "-DROOT=${ROOT}" "-DSCHEMAC=${SCHEMAC}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}")
run(1 "two schemas are called alone.fbs" ${configure} -DCLASH=ON)
run(0 "" ${configure} -DCLASH=OFF)

# The first lock is written by hand, never by a build.
run(1 "there is no such lock" "${CMAKE_COMMAND}" --build "${build}")
run(0 "" "${CMAKE_COMMAND}" --build "${build}" --target shop_messages_lock)
run(0 "" "${CMAKE_COMMAND}" --build "${build}")
generates()

# A schema regenerates itself and who includes it, in whatever target and however deep.
change(alone.fbs "x: int;" "x: int; y: int;")
generates(alone)
change(orders/parts/items.fbs "sku: string;" "sku: string; colour: string;")
generates(items orders)
change(shared/money.fbs "struct" "// said otherwise\nstruct")
generates(money orders refunds)

# Compatible changes pass and are listed until they are accepted.
change(alone.fbs "y: int;" "y: int; z: int;")
run(0 "--target shop_messages_lock" "${CMAKE_COMMAND}" --build "${build}")
run(0 "" ${configure} -DAMPHIBUS_SCHEMAS_EXACT=ON)
run(1 "not promised yet" "${CMAKE_COMMAND}" --build "${build}")
run(0 "+ Alone: 2 z int" "${CMAKE_COMMAND}" --build "${build}" --target shop_messages_lock)
run(0 "" "${CMAKE_COMMAND}" --build "${build}")

# Incompatible ones do not, wherever the definition stands, and the mend that is shown helps.
change(orders/parts/items.fbs "sku: string;" "sku: int;")
run(1 "orders/parts/items.fbs:3: AMB-S10 field_type: shop.parts.Item.sku" "${CMAKE_COMMAND}" --build "${build}")
run(1 "shop.Line (major: 2), shop.Order (major: 2), shop.parts.Item (major: 2)" "${CMAKE_COMMAND}" --build "${build}")
run(1 "AMB-S10" "${CMAKE_COMMAND}" --build "${build}" --target shop_messages_lock)
change(orders/parts/items.fbs "table Item" "attribute \"major\"; table Item (major: 2)")
change(orders/orders.fbs "table Line" "attribute \"major\"; table Line (major: 2)")
change(orders/orders.fbs "(topic" "(major: 2, topic")
run(0 "" "${CMAKE_COMMAND}" --build "${build}" --target shop_messages_lock)
run(0 "" "${CMAKE_COMMAND}" --build "${build}")

# The lock is watched, too.
change(schemas.lock "table shop.Order major 2" "table shop.Order major 3")
run(1 "AMB-S03 major_lowered: shop.Order" "${CMAKE_COMMAND}" --build "${build}")
