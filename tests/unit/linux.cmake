# SPDX-License-Identifier: MIT
unit_test(decode rollcall_static)
target_sources(test_decode PRIVATE fake_ring.c)
unit_test(place rollcall_static)
unit_test(doorbell rollcall_static)
target_sources(test_doorbell PRIVATE fake_ring.c)
# A sanitizer needs no millions of sleeps to see what it looks for.
target_compile_definitions(test_doorbell PRIVATE
  DOORBELL_RECORDS=$<IF:$<BOOL:${ROLLCALL_SANITIZE}>,200000,3000000>u)
