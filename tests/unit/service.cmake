# SPDX-License-Identifier: MIT
foreach(test words answers backoff pending kin log_file config)
  unit_test(service_${test} rollcall_handlers)
endforeach()
