/* SPDX-License-Identifier: MIT */
/* The journal on file systems that are full, or may not be written. */
#include "tests/unit/test_journal_events.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    place_make(place);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    place_remove(*state);
    free(*state);
    return 0;
}

static void mount_small(const struct place *place, const char *options)
{
    assert_int_equal(mount("tmpfs", place->directory, "tmpfs", 0, options), 0);
}

static void unmount(const struct place *place)
{
    assert_int_equal(umount(place->directory), 0);
}

static void fill(const struct place *place, const char *name)
{
    static const char zeros[65536];
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", place->directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t size = sizeof(zeros); size > 0; size /= 2)
        while (write(fd, zeros, size) == (ssize_t)size)
            ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static void empty(const struct place *place, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", place->directory, name);
    assert_int_equal(unlink(path), 0);
}

/* Appends parts until there is no space; returns how many events were stored. */
static size_t append_until_full(struct journal *journal, const struct events *events, size_t from,
                                size_t step)
{
    for (; from < events->batch.count; from += step) {
        struct rollcall_batch part = part_of(events, from, from + step);
        int err = journal_append(journal, &part);

        if (err == 0)
            continue;
        assert_int_equal(err, -ENOSPC);
        expect_error("no space");
        return from;
    }
    fail_msg("the file system was never full");
    return 0;
}

static void append_rest(struct journal *journal, const struct events *events, size_t from)
{
    struct rollcall_batch part = part_of(events, from, events->batch.count);

    expect_append(journal, &part, 0);
}

static void no_space(void **state)
{
    const struct place *place = *state;
    struct journal *journal;
    struct events events;
    size_t stored;

    mount_small(place, "size=8m");
    journal = open_journal(place, NULL);
    events_init(&events, EPOCH, 1);
    add_processes(&events, 100, 3000);
    expect_append(journal, &(struct rollcall_batch){.epoch = EPOCH}, 0);
    fill(place, "filler");
    stored = append_until_full(journal, &events, 0, 30);
    assert_int_equal(append_until_full(journal, &events, stored, 30), stored);
    assert_int_equal(sql_number(journal, "SELECT count(*) FROM events"), (int64_t)stored);
    empty(place, "filler");
    append_rest(journal, &events, stored);
    expect_events(journal, &events);
    journal_close(journal);
    journal = open_journal(place, NULL);
    expect_events(journal, &events);
    journal_close(journal);
    events_free(&events);
    unmount(place);
}

static void no_space_to_begin(void **state)
{
    const struct place *place = *state;
    struct journal *journal;

    mount_small(place, "size=1m");
    fill(place, "filler");
    expect_open_fails(place, false, -ENOSPC, "no space");
    empty(place, "filler");
    journal = open_journal(place, NULL);
    assert_int_equal(sql_number(journal, "SELECT count(*) FROM events"), 0);
    journal_close(journal);
    unmount(place);
}

static void read_only_file_system(void **state)
{
    const struct place *place = *state;
    struct journal_options reading = {.read_only = true};
    struct journal *journal;
    struct events events;

    mount_small(place, "size=8m");
    events_init(&events, EPOCH, 1);
    add_processes(&events, 100, 10);
    journal = open_journal(place, NULL);
    expect_append(journal, &events.batch, 0);
    journal_close(journal);
    assert_int_equal(mount(NULL, place->directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    expect_open_fails(place, false, -EROFS, "read-only file system");
    journal = open_journal(place, &reading);
    expect_events(journal, &events);
    journal_close(journal);
    assert_int_equal(mount(NULL, place->directory, NULL, MS_REMOUNT, NULL), 0);
    empty(place, "journal-wal");
    empty(place, "journal-shm");
    assert_int_equal(mount(NULL, place->directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    journal = open_journal(place, &reading);
    expect_events(journal, &events);
    journal_close(journal);
    events_free(&events);
    unmount(place);
}

/* The mounts are this process's own and go with it. */
static bool may_mount(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(no_space),
        TEST(no_space_to_begin),
        TEST(read_only_file_system),
    };

    if (!may_mount()) {
        puts("skipped: no right to mount a small file system");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
