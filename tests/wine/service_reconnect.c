/* SPDX-License-Identifier: MIT */
/*
 * The driver is stopped while a consumer waits for events, and started again: the consumer lets go
 * of its handle, so that the driver can stop, and goes on with the new collection from its first
 * event.
 */
#include "tests/wine/service_tools.h"

#include <rollcall/rollcall.h>

#define FIRST_PID 300000u
#define ROUNDS    5u

static uint64_t epoch;
static uint64_t next_seq;

/* Reads until the creation of this process. */
static void read_create(struct rollcall *rc, uint32_t pid)
{
    DWORD begin = GetTickCount();
    struct rollcall_batch batch;
    bool found = false;

    while (!found && GetTickCount() - begin < LIMIT_MS) {
        const struct rollcall_event *event = NULL;
        int n = rollcall_next(rc, 1000, &batch);

        if (n < 0)
            die("%s", rollcall_error());
        if (n == 0)
            continue;
        if (batch.epoch != epoch) {
            epoch = batch.epoch;
            next_seq = 1;
        }
        CHECK(batch.first_seq == next_seq, "event %llu instead of %llu",
              (unsigned long long)batch.first_seq, (unsigned long long)next_seq);
        next_seq = batch.last_seq + 1;
        while ((event = rollcall_batch_next(&batch, event)))
            found |= event->type == ROLLCALL_CREATE && event->pid == pid;
        CHECK(rollcall_ack(rc, batch.last_seq) == 0, "%s", rollcall_error());
    }
    CHECK(found, "process %u has not come", pid);
}

static DWORD WINAPI stop_driver(void *context)
{
    DWORD *status = context;

    *status = rollcall_run("service stop --driver");
    return 0;
}

/* While somebody else stops the driver, this one goes on asking for events. */
static void outlive_a_stop(struct rollcall *rc)
{
    DWORD begin = GetTickCount();
    struct rollcall_batch batch;
    DWORD status = 1;
    HANDLE stopper = thread_begin(stop_driver, &status);

    while (WaitForSingleObject(stopper, 0) == WAIT_TIMEOUT && GetTickCount() - begin < LIMIT_MS) {
        int n = rollcall_next(rc, 10, &batch);

        if (n < 0)
            die("%s", rollcall_error());
        if (n > 0)
            CHECK(rollcall_ack(rc, batch.last_seq) == 0, "%s", rollcall_error());
    }
    thread_join(stopper);
    CHECK(status == 0, "`rollcall service stop --driver` ended with %lu", status);
    status = driver_stop();
    CHECK(status == ERROR_SERVICE_NOT_ACTIVE, "the driver was not stopped: %lu", status);
}

int main(void)
{
    const struct rollcall_options durable = {
        .struct_size = sizeof(durable), .name = "reconnect", .latency_us = 1000};
    struct rollcall *rc;
    DWORD error;

    test_begin("rollcall.sys");
    tools_begin();
    error = driver_start();
    CHECK(error == 0, "start: %lu", error);
    if (rollcall_open(&durable, &rc) < 0)
        die("%s", rollcall_error());
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint64_t before = epoch;

        raise_pid(FIRST_PID + 4 * i);
        read_create(rc, FIRST_PID + 4 * i);
        CHECK(epoch != before, "round %u is of the same collection", i);
        outlive_a_stop(rc);
        error = driver_start();
        CHECK(error == 0, "start: %lu", error);
    }
    rollcall_close(rc);
    return test_end();
}
