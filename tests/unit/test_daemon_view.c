/* SPDX-License-Identifier: MIT */
/* What who sees only its own processes is given of a reply. */
#include "linux/daemon/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ME    1000u
#define OTHER 1001u

static struct {
    struct rollcall_reply head;
    struct rollcall_event records[8];
} reply;

static void begin(void)
{
    memset(&reply, 0, sizeof(reply));
    reply.head.epoch = 5;
    reply.head.first_seq = 1000;
    reply.head.last_seq = 999;
}

static struct rollcall_event *add(unsigned type, unsigned present, uint32_t uid)
{
    struct rollcall_event *event = &reply.records[reply.head.count++];

    event->size = sizeof(*event);
    event->version = ROLLCALL_EVENT_VERSION;
    event->type = (uint16_t)type;
    event->present = present;
    event->uid = uid;
    event->seq = ++reply.head.last_seq;
    reply.head.size += event->size;
    return event;
}

static void test_only_its_own(void **state)
{
    struct view view = {.epoch = 77, .last_seq = 3, .uid = ME};

    (void)state;
    begin();
    add(ROLLCALL_EXEC, ROLLCALL_HAS_USER, OTHER);
    add(ROLLCALL_EXEC, ROLLCALL_HAS_USER, ME)->pid = 1;
    add(ROLLCALL_EXIT, 0, ME); /* whose it is is not known */
    add(ROLLCALL_SYNCED, 0, 0);
    add(ROLLCALL_EXIT, ROLLCALL_HAS_USER, ME)->pid = 2;
    assert_int_equal(view_filter(&view, &reply), sizeof(reply.head) + 2 * sizeof(reply.records[0]));
    assert_int_equal(reply.head.epoch, 77);
    assert_int_equal(reply.head.first_seq, 4);
    assert_int_equal(reply.head.last_seq, 5);
    assert_int_equal(reply.head.count, 2);
    assert_int_equal(reply.records[0].seq, 4);
    assert_int_equal(reply.records[0].pid, 1);
    assert_int_equal(reply.records[1].seq, 5);
    assert_int_equal(reply.records[1].pid, 2);
}

static void test_nothing(void **state)
{
    struct view view = {.epoch = 77, .last_seq = 3, .uid = ME};

    (void)state;
    begin();
    add(ROLLCALL_EXEC, ROLLCALL_HAS_USER, OTHER);
    assert_int_equal(view_filter(&view, &reply), sizeof(reply.head));
    assert_int_equal(reply.head.count, 0);
    assert_int_equal(reply.head.first_seq, 4);
    assert_int_equal(view.last_seq, 3);
}

/* How many were lost is not for its eyes. */
static void test_gap(void **state)
{
    struct view view = {.epoch = 77, .last_seq = 0, .uid = ME};

    (void)state;
    begin();
    add(ROLLCALL_GAP, 0, 0)->lost = 1234;
    add(ROLLCALL_EXIT, ROLLCALL_HAS_USER, ME);
    view_filter(&view, &reply);
    assert_int_equal(reply.head.count, 2);
    assert_int_equal(reply.records[0].seq, 1);
    assert_int_equal(reply.records[0].lost, 1);
    assert_int_equal(reply.records[0].flags, ROLLCALL_UNCOUNTED);
    assert_int_equal(reply.records[1].seq, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_its_own),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
