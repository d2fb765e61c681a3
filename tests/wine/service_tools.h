/* SPDX-License-Identifier: MIT */
/* What the tests of the service share: the real rollcall.exe, its service, and its journal. */
#ifndef TESTS_WINE_SERVICE_TOOLS_H
#define TESTS_WINE_SERVICE_TOOLS_H

#include "tests/wine/lib/test.h"

#include <stdint.h>

/* Call after test_begin(): makes a place for journals, and ends what an earlier test left. */
void tools_begin(void);

/* The full name of a journal that is not there yet. Valid until the next call. */
const char *tools_journal(const char *name);

/* Runs rollcall.exe with these arguments; returns its exit status. */
DWORD rollcall_run(const char *arguments);

/* The same without waiting for its end: the process, to be closed. */
HANDLE rollcall_begin(const char *arguments);

/* Runs rollcall.exe, dies if it fails. */
void rollcall_do(const char *arguments);

/* Installs the recorder with this journal; the driver is the one of the test. */
void recorder_install(const char *journal);

/* Ends the recorder's process as a crash does. Wine's service manager finds out when it is to start
 * it again. */
void recorder_kill(void);

/* Waits until the durable consumer has acknowledged all that there is, and somebody reads. */
void wait_until_read(const char *consumer);

/* Waits until it has acknowledged more than when this was called. */
void wait_until_reads(const char *consumer);

/* The one number that an SQL statement gives. */
int64_t journal_ask(const char *journal, const char *sql);

/* Checks that the journal has every number of its one epoch once and no gap, and these processes,
 * each created once and ended once after that: count from first_pid in steps of 4. */
void expect_complete(const char *journal, uint32_t first_pid, uint32_t count);

#endif
