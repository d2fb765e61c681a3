# SPDX-License-Identifier: MIT
# Runs the Windows build's programs, as part of the release build's tests. They share one Wine, so
# one runs at a time.
if(NOT "${PROJECT_BINARY_DIR}" STREQUAL "${PROJECT_SOURCE_DIR}/build/release")
  return()
endif()
set(run ${CMAKE_CURRENT_SOURCE_DIR}/run.sh ${PROJECT_SOURCE_DIR}/build/windows)

add_test(NAME wine.begin COMMAND ${run})
set_tests_properties(wine.begin PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 FIXTURES_SETUP wine)
add_test(NAME wine.end COMMAND ${run} --end)
set_tests_properties(wine.end PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77 FIXTURES_CLEANUP wine)

# wine_test(NAME SECONDS [ARG...]): runs build/windows/tests/NAME.exe
function(wine_test name seconds)
  add_test(NAME wine.${name} COMMAND ${run} ${name}.exe ${ARGN})
  set_tests_properties(wine.${name} PROPERTIES TIMEOUT ${seconds} LABELS wine
    SKIP_RETURN_CODE 77 FIXTURES_REQUIRED wine RESOURCE_LOCK wine)
endfunction()

wine_test(probe_requests 120)
wine_test(probe_misuse 120)

# The driver's requests.
wine_test(cancel 300)
wine_test(close 300)
wine_test(fetch 120)
wine_test(fuzz 240 30)
wine_test(kill 300)
wine_test(limits 120)
wine_test(malformed 120)
wine_test(unload 1200)

# The driver's events.
wine_test(budget 300)
wine_test(consumers 300)
wine_test(deny 300)
wine_test(events 300)
wine_test(failures 300)
wine_test(named_bugs 900)
wine_test(parameters 300)
wine_test(snapshot 300)

# The service and the command.
wine_test(bench 900)
wine_test(port 120)
wine_test(service_handlers 180)
wine_test(service_install 300)
wine_test(service_interrupt 120)
wine_test(service_large 120)
wine_test(service_late 180)
wine_test(service_real 1200 400) # 1,600 processes; without the number 5,000, which take minutes
wine_test(service_reconnect 120)
wine_test(service_restart 300)
wine_test(service_shutdown 120)

set_tests_properties(wine.service_real PROPERTIES PROCESSORS 2)

# By hand they do all of their rounds.
set_tests_properties(wine.cancel wine.close PROPERTIES ENVIRONMENT ROLLCALL_TEST_PART=3)

# The designs of lab/ in the driver.
add_test(NAME wine.lab COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lab_verdicts.sh)
set_tests_properties(wine.lab PROPERTIES TIMEOUT 300 LABELS wine SKIP_RETURN_CODE 77
  FIXTURES_REQUIRED wine RESOURCE_LOCK wine)
