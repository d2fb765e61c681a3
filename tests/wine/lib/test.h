/* SPDX-License-Identifier: MIT */
/*
 * What tests under Wine share: the driver under test, the runtime's device, checks. A test is a
 * program of its own; tests/wine/README.md says how to write one. What goes wrong is printed; a
 * failed check is counted, and what a test cannot go on without ends it.
 */
#ifndef TESTS_WINE_TEST_H
#define TESTS_WINE_TEST_H

#include "tests/wine/control.h"

#include <windows.h>

#include <stdbool.h>
#include <stdint.h>

#define LIMIT_MS 30000 /* longer than anything takes that works */

/* ---- checks ---- */

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);                             \
    } while (0)

__attribute__((format(gnu_printf, 4, 5))) void
check_failed(const char *file, int line, const char *condition, const char *format, ...);

/* How often to do what a test does `count` times: as often, or only a part of it if the environment has
 * ROLLCALL_TEST_PART, as that of ctest has: 3 is a third. At least once. */
unsigned test_part(unsigned count);

/* Whether a check has failed. */
bool test_failed(void);

/* Prints, stops the driver and ends the test. */
__attribute__((noreturn, format(gnu_printf, 1, 2))) void die(const char *format, ...);

/* ---- the driver ---- */

/* Call first. The driver is the file of that name in the folder that ROLLCALL_DRIVERS names; its
 * service has the name without ".sys". What is left of an earlier test is stopped and removed. */
void test_begin(const char *driver);

/* Stops the driver, and returns what main() has to: 0, or 1 if a check failed or the runtime
 * reports a misuse. */
int test_end(void);

/* A value of the service's Parameters key, or of the runtime's settings; before the start. */
void driver_parameter(const char *name, DWORD value);
void runtime_setting(const char *name, DWORD value);

/* Returns 0 or a Win32 error. */
DWORD driver_start(void);
/* Returns when it is stopped: 0 or a Win32 error. */
DWORD driver_stop(void);

/* ---- the runtime ---- */

struct control_facts runtime_facts(void);
void runtime_fail_allocation(uint32_t n);
void runtime_fail_all(bool all);
/* Of a process that lives. */
uint64_t runtime_start_key(uint32_t pid);
/* The processes that live; returns how many, at most room. */
size_t runtime_pids(uint32_t *pids, size_t room);

/* The misuses reported since the last clearing, also of a driver that is stopped: lines "kind: text". Valid until the next call. */
const char *runtime_reports(void);
void runtime_clear(void);
/* Checks that `kind` and nothing else was reported, and clears. */
void expect_report(const char *kind);

/* ---- processes that the runtime raises ---- */

struct process {
    uint32_t pid, ppid, creator_pid, creator_tid, session;
    uint32_t flags; /* enum control_flag */
    int64_t create_time;
    uint32_t sub_authority;
    const wchar_t *image;
    size_t image_length; /* characters; 0: up to the NUL */
    const wchar_t *command;
    size_t command_length;
};

/* Return the status of the creation. raise_pid(): with ordinary texts. */
uint32_t raise_create(const struct process *process);
uint32_t raise_pid(uint32_t pid);
void raise_exit(uint32_t pid, uint32_t status);
/* count processes from first_pid in steps of 4; flags: CONTROL_CREATE_EACH, CONTROL_EXIT_EACH.
 * Returns how many were refused. */
uint32_t raise_bulk(uint32_t first_pid, uint32_t count, uint32_t flags, uint32_t command_size);

/* ---- requests ---- */

/* Opens the device for overlapped requests; dies if it cannot. access: GENERIC_READ etc. */
HANDLE device_open(const wchar_t *path, DWORD access);

/* One request, waited for. Returns 0 or a Win32 error; *bytes may be NULL. */
DWORD request(HANDLE device, DWORD code, const void *in, DWORD in_size, void *out, DWORD out_size,
              DWORD *bytes);

/* A request that is sent and waited for later. Lives until pended_wait() has returned. */
struct pended {
    OVERLAPPED overlapped;
    HANDLE device;
    DWORD error; /* after pended_send(): ERROR_IO_PENDING, 0 or what went wrong */
};

void pended_send(struct pended *pended, HANDLE device, DWORD code, const void *in, DWORD in_size,
                 void *out, DWORD out_size);
/* Returns 0 or a Win32 error; dies after LIMIT_MS. */
DWORD pended_wait(struct pended *pended, DWORD *bytes);
/* true: it has been completed. */
bool pended_done(struct pended *pended);

/* ---- processes that are raised meanwhile ---- */

/* raise_bulk() with all events of each, sent on a handle of CONTROL_PATH and waited for later. */
struct bulk {
    struct pended pended;
    struct control_result result;
};

void bulk_send(struct bulk *bulk, HANDLE runtime, uint32_t first_pid, uint32_t count,
               uint32_t command_size);
/* Returns 0 or a Win32 error: that the runtime is gone. */
DWORD bulk_wait(struct bulk *bulk);

/* ---- processes ---- */

/* Runs a command line; the process, to be closed. inherit: it gets the handles that may be. What Wine fails to make on a busy machine it is
 * asked for again; dies if it cannot be made at all. */
HANDLE process_begin(const char *line, bool inherit);

/* Runs the test's own program with this argument. */
HANDLE self_begin(const char *argument);

/* ---- threads ---- */

HANDLE thread_begin(DWORD(WINAPI *routine)(void *), void *context);
/* Waits for its end, however long it takes: what the thread waits for has a limit. */
void thread_join(HANDLE thread);

#endif
