# SPDX-License-Identifier: MIT
unit_test(journal_text rollcall_journal)
foreach(test journal journal_faults journal_living journal_retain journal_space journal_sql)
  unit_test(${test} rollcall_journal)
  target_sources(test_${test} PRIVATE test_journal_events.c)
endforeach()
target_compile_definitions(test_journal_sql PRIVATE
  DOCUMENT="${PROJECT_SOURCE_DIR}/docs/journal.md")
set_tests_properties(unit.journal_space PROPERTIES SKIP_RETURN_CODE 77)
