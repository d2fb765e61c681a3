# SPDX-License-Identifier: MIT
# What happens to processes, and to those who read about it, against the truth of a load.
add_library(scenario STATIC holes.c part.c scenario.c witness.c)
target_link_libraries(scenario PUBLIC load_truth rollcall_static PkgConfig::CMOCKA)
target_compile_definitions(scenario PUBLIC LOAD_CHILD="$<TARGET_FILE:load_child>")

# scenario_test(NAME): test_NAME.c, as root.
function(scenario_test name)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE scenario)
  add_dependencies(test_${name} load_child)
  add_test(NAME kernel.${name} COMMAND test_${name})
  set_tests_properties(kernel.${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1200
    RESOURCE_LOCK machine)
endfunction()

scenario_test(hundred_thousand)
scenario_test(stopped_reader)
scenario_test(small_ring)
scenario_test(redelivery)
scenario_test(fork_storm_start)
scenario_test(cases)
scenario_test(identity)
scenario_test(args)
scenario_test(leases)
scenario_test(pid_reuse)
scenario_test(fd)
scenario_test(preempt_storm)
scenario_test(deny)

# By hand it starts and ends as often as it says.
set_tests_properties(kernel.fork_storm_start PROPERTIES ENVIRONMENT ROLLCALL_TEST_PART=5)

# The same with programs of which runs are skipped, see README.md: storm_variant(NAME LATE), where
# LATE says whether processes must be announced late, or none may be.
function(storm_variant name late)
  add_executable(test_preempt_storm_${name} test_preempt_storm.c part.c scenario.c)
  target_link_libraries(test_preempt_storm_${name} PRIVATE load_truth rollcall_${name})
  target_compile_definitions(test_preempt_storm_${name} PRIVATE
    LOAD_CHILD="$<TARGET_FILE:load_child>" LATE=${late})
  add_dependencies(test_preempt_storm_${name} load_child)
  add_test(NAME kernel.preempt_storm_${name} COMMAND test_preempt_storm_${name})
  set_tests_properties(kernel.preempt_storm_${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600
    RESOURCE_LOCK machine)
endfunction()

storm_variant(skipping true)
storm_variant(skipping_first false)

# The same with every second exec of a process skipped.
add_executable(test_skipped_execs test_skipped_execs.c part.c scenario.c witness.c)
target_link_libraries(test_skipped_execs PRIVATE load_truth rollcall_skipping_execs PkgConfig::CMOCKA)
target_compile_definitions(test_skipped_execs PRIVATE LOAD_CHILD="$<TARGET_FILE:load_child>")
add_dependencies(test_skipped_execs load_child)
add_test(NAME kernel.skipped_execs COMMAND test_skipped_execs)
set_tests_properties(kernel.skipped_execs PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 RESOURCE_LOCK machine)
