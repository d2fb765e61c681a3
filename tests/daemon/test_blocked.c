/* SPDX-License-Identifier: MIT */
/* Somebody has locked the journal. Consumers get the events all the same; and when the daemon is killed,
 * what it had not stored comes again: into the journal, and to nobody who has it. */
#include "tests/daemon/rig.h"

#include <sqlite3.h>

#include <signal.h>
#include <unistd.h>

#define COUNT 300u

static void run_sql(sqlite3 *db, const char *sql)
{
    CHECK_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int pass_over(const struct rollcall_consumer_report *consumer, void *context)
{
    (void)consumer;
    (void)context;
    return 0;
}

static struct rollcall_daemon_report report_of(const struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    struct rollcall_daemon_report report;

    CHECK_EQUAL(rollcall_report(&opts, &report, sizeof(report), pass_over, NULL), 0);
    return report;
}

static void wait_until_had(const struct rig *rig, unsigned index, uint64_t seq)
{
    while (rig->heard[index].last_seq < seq)
        usleep(1000);
}

/* The list is not waited for: it is as old as the journal. */
static void ask_for_existing(const struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    const struct rollcall_event *event = NULL;
    struct rollcall_batch batch;
    struct rollcall *rc;

    opts.flags |= ROLLCALL_EXISTING;
    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    do {
        CHECK(rollcall_next(rc, -1, &batch) > 0);
        event = NULL;
        while ((event = rollcall_batch_next(&batch, event)) && event->type != ROLLCALL_SYNCED)
            continue;
    } while (!event);
    rollcall_close(rc);
}

static void test(struct rig *rig)
{
    const struct behaviour reads = {.name = NULL};
    struct load load = {0};
    struct behaviour all = {.name = "all"};
    sqlite3 *db;
    uint64_t newest;
    pid_t consumer;

    rig_start(rig, NULL);
    consumer = rig_consume(rig, 0, &reads);
    CHECK_EQUAL(sqlite3_open(rig->journal, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 60000);
    run_sql(db, "BEGIN IMMEDIATE");
    all.truth = rig_load(&load, COUNT);
    CHECK_EQUAL(load_wait(&load), 0);
    newest = rig_newest(rig);
    CHECK(newest > (uint64_t)3 * COUNT);
    wait_until_had(rig, 0, newest);
    while (!(report_of(rig).flags & ROLLCALL_REPORT_BLOCKED))
        usleep(10000);
    ask_for_existing(rig);
    rig_stop(rig, SIGKILL);
    run_sql(db, "ROLLBACK");
    CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
    rig_start(rig, NULL);
    rig_mark_end();
    rig_await(consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    rig_await(rig_consume(rig, 1, &all));
    load_end(&load);
    rig_stop(rig, SIGTERM);
}

int main(void)
{
    return rig_main(test);
}
