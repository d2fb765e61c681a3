# SPDX-License-Identifier: MIT
unit_test(utf8 rollcall_static)
foreach(test parse filter processes text json lines rows)
  unit_test(cli_${test} rollcall_cli)
  target_sources(test_cli_${test} PRIVATE test_cli_events.c)
endforeach()
set_tests_properties(unit.cli_text PROPERTIES SKIP_RETURN_CODE 77)

add_test(NAME unit.man_options
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/man_options.sh $<TARGET_FILE:rollcall>
    ${PROJECT_SOURCE_DIR}/man service)
set_tests_properties(unit.man_options PROPERTIES SKIP_RETURN_CODE 77)
