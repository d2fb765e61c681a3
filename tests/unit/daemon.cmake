# SPDX-License-Identifier: MIT
unit_test(daemon_archive rollcall_daemon)
target_sources(test_daemon_archive PRIVATE test_journal_events.c)
unit_test(daemon_settings rollcall_daemon)
unit_test(daemon_view rollcall_daemon)
