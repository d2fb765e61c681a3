# SPDX-License-Identifier: MIT
unit_test(utf8 rollcall_static)
unit_test(program_parse rollcall_program)
foreach(test events_filter events_processes events_text events_json cli_lines cli_rows)
  unit_test(${test} rollcall_cli)
  target_sources(test_${test} PRIVATE sample_events.c)
endforeach()
set_tests_properties(unit.events_text PROPERTIES SKIP_RETURN_CODE 77)

add_test(NAME unit.man_options
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/man_options.sh $<TARGET_FILE:rollcall>
    ${PROJECT_SOURCE_DIR}/man service)
set_tests_properties(unit.man_options PROPERTIES SKIP_RETURN_CODE 77)
