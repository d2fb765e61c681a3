# SPDX-License-Identifier: MIT
# What the Windows driver does with texts needs no Windows.
add_library(driver_texts STATIC ${PROJECT_SOURCE_DIR}/windows/driver/record.c
  ${PROJECT_SOURCE_DIR}/windows/driver/sid.c ${PROJECT_SOURCE_DIR}/windows/driver/wtf8.c)
target_link_libraries(driver_texts PUBLIC rollcall_options)
unit_test(driver_texts driver_texts rollcall_static)
