# SPDX-License-Identifier: MIT
unit_test(decode rollcall_static)
target_sources(test_decode PRIVATE fake_ring.c)
unit_test(place rollcall_static)
unit_test(doorbell rollcall_static)
target_sources(test_doorbell PRIVATE fake_ring.c)
# A sanitizer needs no millions of sleeps to see what it looks for.
if(ROLLCALL_SANITIZE)
  target_compile_definitions(test_doorbell PRIVATE DOORBELL_RECORDS=200000u)
else()
  target_compile_definitions(test_doorbell PRIVATE DOORBELL_RECORDS=1000000u)
endif()
