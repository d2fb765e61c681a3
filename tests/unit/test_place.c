/* SPDX-License-Identifier: MIT */
/* The reader's place survives a reader that is killed at any instruction of a store. */
#include "linux/place.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define KILLS 200

static struct place numbered(uint64_t n)
{
    struct place place = {.position = n, .seq = 2 * n, .acked_seq = 3 * n};

    for (unsigned i = 0; i < ROLLCALL_REASONS; i++)
        place.lost[i] = n + i;
    return place;
}

static void expect_whole(const struct place *place)
{
    struct place expected = numbered(place->position);

    expected.version = place->version;
    assert_memory_equal(place, &expected, sizeof(expected));
}

static void test_last_store_counts(void **state)
{
    struct control *control = calloc(1, sizeof(*control));
    struct place place;

    (void)state;
    place_load(control, &place);
    assert_int_equal(place.position, 0);
    assert_int_equal(place.seq, 0);
    for (uint64_t n = 1; n < 10; n++) {
        struct place to = numbered(n);

        place_store(control, &to);
        place_load(control, &place);
        assert_int_equal(place.position, n);
        expect_whole(&place);
    }
    free(control);
}

/* What a torn store looks like: the one before it holds. */
static void test_torn_store_does_not_count(void **state)
{
    struct control *control = calloc(1, sizeof(*control));
    struct place one = numbered(1);
    struct place two = numbered(2);
    struct place place;

    (void)state;
    place_store(control, &one);
    place_store(control, &two);
    for (unsigned i = 0; i < 2; i++)
        if (control->places[i].position == 2)
            control->places[i].version = 0;
    place_load(control, &place);
    assert_int_equal(place.position, 1);
    free(control);
}

static void test_killed_at_any_instruction(void **state)
{
    struct control *control =
        mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t before = 0;

    (void)state;
    for (int i = 0; i < KILLS; i++) {
        struct place place;
        pid_t child = fork();

        if (child == 0) {
            place_load(control, &place);
            for (uint64_t n = place.position + 1;; n++) {
                struct place to = numbered(n);

                place_store(control, &to);
            }
        }
        /* Wait for progress, so that each kill is in the middle of work. */
        do
            place_load(control, &place);
        while (place.position <= before + 100);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        place_load(control, &place);
        assert_true(place.position >= before + 100);
        expect_whole(&place);
        before = place.position;
    }
    munmap(control, sizeof(*control));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_store_counts),
        cmocka_unit_test(test_torn_store_does_not_count),
        cmocka_unit_test(test_killed_at_any_instruction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
