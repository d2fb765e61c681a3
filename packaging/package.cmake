# SPDX-License-Identifier: MIT
# Debian packages, by `./dev package`: rollcall has what runs, librollcall-dev what programs are built with.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR rollcall)
set(CPACK_PACKAGE_CONTACT "rollcall <rollcall@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "every process event of this machine, none missing")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "rollcall brings every process event (created, program replaced, exited)
from the kernel to user mode, at once and in order, and loses none: not when
the reader is slow, stopped, killed, restarted or replaced by a newer version.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON) # for what is in /etc
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime development)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME rollcall)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "passwd, init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_LIST_DIR}/conffiles ${CMAKE_CURRENT_LIST_DIR}/postinst
  ${CMAKE_CURRENT_LIST_DIR}/postrm ${CMAKE_CURRENT_LIST_DIR}/prerm
  ${CMAKE_CURRENT_LIST_DIR}/triggers)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME librollcall-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "rollcall (= ${PROJECT_VERSION}), libbpf-dev (>= 1:1.1)")

include(CPack)
