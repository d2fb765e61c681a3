# SPDX-License-Identifier: MIT
# Tests that look inside linux/, or need programs that are compiled differently.
# capture_test(NAME LIBRARY...): test_NAME.c, as root.
function(capture_test name)
  add_executable(test_${name} test_${name}.c part.c)
  target_link_libraries(test_${name} PRIVATE rollcall_options PkgConfig::CMOCKA ${ARGN})
  add_test(NAME kernel.${name} COMMAND test_${name})
  set_tests_properties(kernel.${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600
    RESOURCE_LOCK machine)
endfunction()

capture_test(ring_doorbell rollcall_static rollcall_producer)
capture_test(skipped_hooks rollcall_skipping)

# The same, but that exits are skipped.
add_executable(test_skipped_exits test_skipped_hooks.c part.c)
target_link_libraries(test_skipped_exits PRIVATE rollcall_options PkgConfig::CMOCKA rollcall_skipping_exits)
target_compile_definitions(test_skipped_exits PRIVATE EXITS=true)
target_compile_definitions(test_skipped_hooks PRIVATE EXITS=false)
add_test(NAME kernel.skipped_exits COMMAND test_skipped_exits)
set_tests_properties(kernel.skipped_exits PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 RESOURCE_LOCK machine)

# Two builds of one program, which take over from each other.
foreach(build static other)
  add_executable(tap_${build} tap.c)
  target_link_libraries(tap_${build} PRIVATE rollcall_options rollcall_${build})
endforeach()
capture_test(takeover rollcall_static)
target_compile_definitions(test_takeover PRIVATE DENIES=false)

# The same under the policy `deny`.
add_executable(test_takeover_deny test_takeover.c part.c)
target_link_libraries(test_takeover_deny PRIVATE rollcall_options PkgConfig::CMOCKA rollcall_static)
target_compile_definitions(test_takeover_deny PRIVATE DENIES=true)
add_test(NAME kernel.takeover_deny COMMAND test_takeover_deny)
set_tests_properties(kernel.takeover_deny PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600
  RESOURCE_LOCK machine)

foreach(test test_takeover test_takeover_deny)
  target_link_libraries(${test} PRIVATE load_truth)
  target_compile_definitions(${test} PRIVATE TAP_DIRECTORY="$<TARGET_FILE_DIR:tap_static>")
  add_dependencies(${test} tap_static tap_other)
endforeach()
