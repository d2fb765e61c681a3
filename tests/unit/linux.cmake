# SPDX-License-Identifier: MIT
unit_test(decode rollcall_static)
target_sources(test_decode PRIVATE fake_ring.c)
unit_test(place rollcall_static)
unit_test(doorbell rollcall_static)
target_sources(test_doorbell PRIVATE fake_ring.c)
