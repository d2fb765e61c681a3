# SPDX-License-Identifier: MIT
# What a build for Windows needs beside the compiler. ROLLCALL_WINDOWS_LIBRARIES: where
# windows/libraries.sh has put SQLite and jansson.
set(ROLLCALL_WINDOWS_LIBRARIES ${PROJECT_SOURCE_DIR}/build/windows-libraries/install CACHE PATH
  "Where windows/libraries.sh has installed the libraries")
foreach(library sqlite3 jansson)
  if(NOT EXISTS ${ROLLCALL_WINDOWS_LIBRARIES}/lib/lib${library}.a)
    message(FATAL_ERROR "windows/libraries.sh has not been run: use `./dev windows`")
  endif()
  string(TOUPPER ${library} target)
  string(REPLACE "SQLITE3" "SQLITE" target ${target})
  add_library(PkgConfig::${target} INTERFACE IMPORTED)
  target_include_directories(PkgConfig::${target} INTERFACE ${ROLLCALL_WINDOWS_LIBRARIES}/include)
  target_link_libraries(PkgConfig::${target} INTERFACE
    ${ROLLCALL_WINDOWS_LIBRARIES}/lib/lib${library}.a)
endforeach()

# uthash is one header for every system; the compiler does not look where the machine has it.
find_file(UTHASH uthash.h PATHS /usr/include NO_CMAKE_FIND_ROOT_PATH REQUIRED)
file(COPY ${UTHASH} DESTINATION ${PROJECT_BINARY_DIR}/include)

# Windows 10. The formats of printf() are those of C, which the compiler does not expect here; the
# build for Linux checks them.
add_library(rollcall_windows_options INTERFACE)
target_compile_definitions(rollcall_windows_options INTERFACE
  UNICODE _UNICODE WIN32_LEAN_AND_MEAN _WIN32_WINNT=0x0A00 NTDDI_VERSION=0x0A000000
  __USE_MINGW_ANSI_STDIO=1)
target_compile_options(rollcall_windows_options INTERFACE
  -Wno-format -include ${PROJECT_SOURCE_DIR}/windows/posix.h)
target_include_directories(rollcall_windows_options SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/include)
target_link_options(rollcall_windows_options INTERFACE -static -fstack-protector-strong)
target_link_libraries(rollcall_windows_options INTERFACE ssp pthread)
