/* SPDX-License-Identifier: MIT */
/* The check finds what is wrong: a check that finds nothing proves nothing. */
#include "tests/load/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define STARTER 10u
#define WORKER  20u
#define COUNT   3u
#define EVENTS  (2u + 3 * COUNT) /* the worker's create and exit, three of each of its processes */
#define EPOCH   1u

/* The story of one worker and its processes, as it should be told. */
struct story {
    struct load load;
    struct rollcall_event events[EVENTS + 1];
    size_t count;
};

static struct rollcall_event *append(struct story *story, enum rollcall_type type, uint32_t pid)
{
    struct rollcall_event *event = &story->events[story->count++];

    memset(event, 0, sizeof(*event));
    event->size = sizeof(*event);
    event->version = ROLLCALL_EVENT_VERSION;
    event->type = (uint16_t)type;
    event->seq = story->count;
    event->mono_ns = 1000 + story->count;
    event->pid = pid;
    event->start_ns = 100 + pid;
    event->ppid = pid == WORKER ? STARTER : WORKER;
    event->parent_start_ns = 100 + event->ppid;
    event->creator_pid = event->creator_tid = event->ppid;
    return event;
}

static int tell(void **state)
{
    const struct load_options opts = {.workers = 1, .count = COUNT, .mix = "fork"};
    struct story *story = calloc(1, sizeof(*story));
    struct truth_record *records;

    assert_non_null(story);
    assert_int_equal(load_init(&story->load, &opts, NULL), 0);
    story->load.truth->starter = STARTER;
    story->load.truth->worker[0].pid = WORKER;
    story->load.truth->worker[0].made = COUNT;
    records = story->load.truth->record;
    append(story, ROLLCALL_CREATE, WORKER);
    for (uint32_t i = 0; i < COUNT; i++) {
        records[i] = (struct truth_record){.pid = 30 + i, .execs = 1, .status = i << 8};
        append(story, ROLLCALL_CREATE, 30 + i);
        append(story, ROLLCALL_EXEC, 30 + i);
        append(story, ROLLCALL_EXIT, 30 + i)->status = i << 8;
    }
    append(story, ROLLCALL_EXIT, WORKER);
    *state = story;
    return 0;
}

static int forget(void **state)
{
    struct story *story = *state;

    munmap(story->load.truth, story->load.size);
    free(story);
    return 0;
}

static void remove_event(struct story *story, size_t index)
{
    story->count--;
    memmove(&story->events[index], &story->events[index + 1],
            (story->count - index) * sizeof(story->events[0]));
}

static void swap(struct story *story, size_t index)
{
    struct rollcall_event first = story->events[index];

    story->events[index] = story->events[index + 1];
    story->events[index + 1] = first;
}

static void number_anew(struct story *story)
{
    for (size_t i = 0; i < story->count; i++)
        story->events[i].seq = i + 1;
}

/* Feeds the story; one of the differences has to contain `text` (NULL: there must be none). */
static void expect(const struct story *story, const char *text)
{
    struct check *check = check_new(0);
    bool found = false;
    uint64_t differences;

    for (size_t i = 0; i < story->count; i++)
        check_event(check, EPOCH, &story->events[i]);
    differences = check_finish(check, story->load.truth);
    for (size_t i = 0; text && check_text(check, i); i++)
        found |= strstr(check_text(check, i), text) != NULL;
    if (text ? !found : differences > 0) {
        check_print(check, stdout);
        fail_msg("expected: %s", text ? text : "no difference");
    }
    check_free(check);
}

static void test_right(void **state)
{
    expect(*state, NULL);
}

static void test_each_missing_event(void **state)
{
    for (size_t i = 0; i < EVENTS; i++) {
        struct story story = *(struct story *)*state;

        remove_event(&story, i);
        if (i + 1 < EVENTS)
            expect(&story, "stands where");
        number_anew(&story);
        expect(&story, i == EVENTS - 1 ? "no exit" : "pid");
    }
}

static void test_missing_process(void **state)
{
    struct story *story = *state;

    for (int i = 0; i < 3; i++)
        remove_event(story, 4);
    number_anew(story);
    expect(story, "pid 31, the process number 1 of worker 0: no create");
}

static void test_missing_last_process(void **state)
{
    struct story *story = *state;

    for (int i = 0; i < 3; i++)
        remove_event(story, 7);
    number_anew(story);
    expect(story, "pid 32, the process number 2 of worker 0: no create");
}

static void test_missing_exec_and_exit(void **state)
{
    struct story story = *(struct story *)*state;

    remove_event(&story, 2);
    number_anew(&story);
    expect(&story, "pid 30 (start 130): 0 execs, the truth is 1");
    story = *(struct story *)*state;
    remove_event(&story, 3);
    number_anew(&story);
    expect(&story, "pid 30 (start 130): no exit");
}

static void test_each_duplicate(void **state)
{
    for (size_t i = 0; i < EVENTS; i++) {
        struct story story = *(struct story *)*state;

        memmove(&story.events[i + 1], &story.events[i],
                (story.count - i) * sizeof(story.events[0]));
        story.count++;
        expect(&story, "stands where");
        number_anew(&story);
        expect(&story, "pid");
    }
}

static void test_swapped(void **state)
{
    struct story story = *(struct story *)*state;

    swap(&story, 2);
    expect(&story, "stands where");
    number_anew(&story);
    expect(&story, "`exec` of pid 30 (start 130) after its exit");
    story = *(struct story *)*state;
    swap(&story, 1);
    number_anew(&story);
    expect(&story, "`exec` of pid 30 (start 130), which was not announced");
}

static void test_wrong_values(void **state)
{
    struct story story = *(struct story *)*state;

    story.events[6].status = 7;
    expect(&story, "pid 31 (start 131): status 0x7, the truth is 0x100");
    story = *(struct story *)*state;
    story.events[4].creator_tid = 9;
    expect(&story, "pid 31: creator 20/9, the truth is 20");
    story = *(struct story *)*state;
    story.events[5].mono_ns = 1;
    expect(&story, "is older than its event before");
}

static void test_beyond(void **state)
{
    struct story *story = *state;
    struct rollcall_event *event = append(story, ROLLCALL_CREATE, 40);

    expect(story, "pid 40 (start 140): beyond the truth of worker 0");
    event->ppid = 31;
    event->parent_start_ns = 131;
    expect(story, "pid 40 (start 140): a descendant of worker 0 beyond the truth");
}

static void test_gap(void **state)
{
    struct story *story = *state;

    story->events[5].type = ROLLCALL_GAP;
    story->events[5].lost = 3;
    expect(story, "a gap of 3 events (full)");
    expect(story, "seq 7 stands where 9 is expected");
}

static void test_same_pid_twice(void **state)
{
    struct story *story = *state;

    /* The second process has the first one's pid, and another start. */
    story->load.truth->record[1].pid = 30;
    for (size_t i = 4; i < 7; i++)
        story->events[i].pid = 30;
    expect(story, NULL);
    story->events[6].start_ns = story->events[1].start_ns;
    expect(story, "`exit` of pid 30 (start 130) after its exit");
}

static void test_unannounced_before(void **state)
{
    struct rollcall_event event = {.type = ROLLCALL_EXIT, .seq = 1, .pid = 5, .start_ns = 999};
    struct check *check = check_new(1000);

    (void)state;
    check_event(check, EPOCH, &event);
    assert_int_equal(check_finish(check, NULL), 0);
    event.seq = 2;
    event.start_ns = 1000;
    check_event(check, EPOCH, &event);
    assert_int_equal(check_finish(check, NULL), 1);
    check_free(check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_right, tell, forget),
        cmocka_unit_test_setup_teardown(test_each_missing_event, tell, forget),
        cmocka_unit_test_setup_teardown(test_missing_process, tell, forget),
        cmocka_unit_test_setup_teardown(test_missing_last_process, tell, forget),
        cmocka_unit_test_setup_teardown(test_missing_exec_and_exit, tell, forget),
        cmocka_unit_test_setup_teardown(test_each_duplicate, tell, forget),
        cmocka_unit_test_setup_teardown(test_swapped, tell, forget),
        cmocka_unit_test_setup_teardown(test_wrong_values, tell, forget),
        cmocka_unit_test_setup_teardown(test_beyond, tell, forget),
        cmocka_unit_test_setup_teardown(test_gap, tell, forget),
        cmocka_unit_test_setup_teardown(test_same_pid_twice, tell, forget),
        cmocka_unit_test(test_unannounced_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
