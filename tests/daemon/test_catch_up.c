/* SPDX-License-Identifier: MIT */
/* Consumers that are behind what memory has, that come after a restart, and after another boot: the
 * journal has it. What retention has removed is one exact gap. */
#include "tests/daemon/rig.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t processes;

static const char *const small[] = {"--memory", "1M", NULL};
static const char *const short_memory[] = {"--memory", "1M", "--keep-size", "2M", NULL};

/* Reads what there is by now, up to `until`, and leaves. */
static void read_until(struct rig *rig, unsigned index, const char *name, uint64_t until,
                       bool never_acks)
{
    const struct behaviour behaviour = {
        .name = name, .until_seq = until, .never_acks = never_acks, .dedupes = true};

    rig_await(rig_consume(rig, index, &behaviour));
}

/* Nobody reads meanwhile. */
static void load_all(uint32_t count)
{
    struct load load = {0};

    rig_load(&load, count);
    CHECK_EQUAL(load_wait(&load), 0);
    load_end(&load);
}

/* Far more than memory has: from the first number to the newest, none is missing. */
static void behind_memory(struct rig *rig)
{
    struct load load = {0};
    const struct behaviour all = {.name = "all"};
    struct behaviour checked = {.name = "checked"};

    read_until(rig, 0, "some", 1, false);
    checked.truth = rig_load(&load, processes);
    CHECK_EQUAL(load_wait(&load), 0);
    rig_mark_end();
    rig_await(rig_consume(rig, 1, &checked));
    rig_await(rig_consume(rig, 2, &all));
    CHECK(rig->heard[2].events > 3ull * processes);
    CHECK_EQUAL(rig->heard[2].first_seq, 1);
    CHECK_EQUAL(rig->heard[2].lost, 0);
    CHECK_EQUAL(rig->heard[1].sum, rig->heard[2].sum);
    load_end(&load);
}

/* It goes on behind what it has acknowledged, also when the daemon was another one meanwhile. */
static void after_restart(struct rig *rig)
{
    uint64_t there = rig->heard[0].last_seq;

    read_until(rig, 0, "some", there + 100, false);
    there = rig->heard[0].last_seq;
    rig_stop(rig, SIGTERM);
    load_all(20);
    rig_start(rig, small);
    CHECK_EQUAL(rig->heard[0].last_seq, there);
    rig->heard[0].last_seq = 0;
    rig->heard[0].first_seq = 0;
    rig->heard[0].epoch = 0;
    read_until(rig, 0, "some", there + 200, true);
    CHECK_EQUAL(rig->heard[0].first_seq, there + 1);
    /* What it did not acknowledge comes again. */
    rig->heard[0].epoch = 0;
    rig->heard[0].first_seq = 0;
    read_until(rig, 0, "some", there + 200, false);
    CHECK_EQUAL(rig->heard[0].first_seq, there + 1);
    CHECK_EQUAL(rig->heard[0].lost, 0);
}

/* Who acknowledges only when there is nothing more, and a fetch is pended, comes past the end of an
 * epoch as well. */
static void acknowledge_late(const struct rig *rig, const char *name, uint64_t before)
{
    struct rollcall_options opts = rig_options(rig, name);
    uint64_t end = rig_now_ms() + 60000;
    struct rollcall_batch batch;
    struct rollcall *rc;
    uint64_t last = 0;
    int n;

    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    do {
        n = rollcall_next(rc, 200, &batch);
        CHECK(n >= 0);
        CHECK(rig_now_ms() < end);
        if (n > 0 && batch.epoch == before)
            last = batch.last_seq;
        else if (n == 0)
            CHECK_EQUAL(rollcall_ack(rc, last), 0);
    } while (n == 0 || batch.epoch == before);
    CHECK(last > 0);
    CHECK_EQUAL(batch.first_seq, 1);
    rollcall_close(rc);
}

/* What the kernel had is gone, as after a boot: another epoch. */
static void new_epoch(struct rig *rig)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = rig->name, .flags = ROLLCALL_DIRECT};
    uint64_t before = rig->heard[0].epoch;
    const struct behaviour rest = {.name = "some"};

    rig_stop(rig, SIGTERM);
    CHECK_EQUAL(rollcall_detach_at(&opts), 0);
    rig_start(rig, small);
    acknowledge_late(rig, "all", before);
    load_all(50);
    rig_mark_end();
    rig->heard[0].epochs = 0;
    /* It ends with the mark of the new epoch; the old one's it comes past. */
    rig_await(rig_consume(rig, 0, &rest));
    if (rig->heard[0].epoch == before)
        rig_await(rig_consume(rig, 0, &rest));
    CHECK(rig->heard[0].epoch > before);
    CHECK_EQUAL(rig->heard[0].epochs, 1);
    /* It was none, which shows. */
    CHECK_EQUAL(rig->heard[0].gaps, 1);
    CHECK_EQUAL(rig->heard[0].lost, 1);
}

/* From its place up to where the journal begins. */
static void after_retention(struct rig *rig)
{
    const struct behaviour rest = {.name = "late"};
    uint64_t place;
    uint64_t newest;

    rig_stop(rig, SIGTERM);
    rig_start(rig, short_memory);
    read_until(rig, 3, "late", 1, false);
    place = rig->heard[3].last_seq;
    /* Retention works once a second: some seconds of load, whose events are far more than is kept. */
    for (int i = 0; i < 4; i++)
        load_all(processes);
    newest = rig_newest(rig);
    rig_mark_end();
    memset(&rig->heard[3], 0, sizeof(rig->heard[3]));
    rig_await(rig_consume(rig, 3, &rest));
    CHECK(rig->heard[3].lost > 0);
    CHECK_EQUAL(rig->heard[3].first_seq, place + 1);
    CHECK_EQUAL(rig->heard[3].events + rig->heard[3].lost, rig->heard[3].last_seq - place);
    CHECK(rig->heard[3].last_seq > newest);
}

static void test(struct rig *rig)
{
    rig_start(rig, small);
    behind_memory(rig);
    after_restart(rig);
    new_epoch(rig);
    after_retention(rig);
    rig_stop(rig, SIGTERM);
}

int main(int argc, char **argv)
{
    processes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000;
    return rig_main(test);
}
