/* SPDX-License-Identifier: MIT */
/* Filters: what is understood, what is refused, and what passes. */
#include "events/filter.h"
#include "events/processes.h"
#include "tests/unit/sample_events.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct rollcall_event usual = {.type = ROLLCALL_EXEC,
                                            .present = ROLLCALL_HAS_PARENT | ROLLCALL_HAS_USER,
                                            .pid = 17,
                                            .ppid = 5,
                                            .uid = 1000,
                                            .comm = "two words"};

static struct filter *filter_of(const char *expression)
{
    char error[FILTER_ERROR_SIZE] = "";
    struct filter *filter = NULL;

    if (filter_add(&filter, expression, error) != 0)
        fail_msg("%s: %s", expression, error);
    return filter;
}

/* Whether an event of a process that runs /usr/bin/two passes. */
static bool passes(const char *expression, const struct rollcall_event *event)
{
    static char exe[] = "/usr/bin/two";
    struct process process = {.pid = event->pid, .exe = exe};
    struct filter *filter = filter_of(expression);
    bool result = filter_passes(filter, event, &process);

    filter_free(filter);
    return result;
}

static void expect_passes(const char *expression)
{
    if (!passes(expression, &usual))
        fail_msg("does not pass: %s", expression);
}

static void expect_held_back(const char *expression)
{
    if (passes(expression, &usual))
        fail_msg("passes: %s", expression);
}

static void test_every_key(void **state)
{
    (void)state;
    expect_passes("pid=17");
    expect_held_back("pid=18");
    expect_passes("ppid=5");
    expect_held_back("ppid=17");
    expect_held_back("ppid=0");
    expect_passes("uid=1000");
    expect_held_back("uid=0");
    expect_held_back("uid=root");
    expect_passes("type=exec");
    expect_held_back("type=exit");
    expect_passes("comm='two words'");
    expect_held_back("comm=two");
    expect_passes("exe=/usr/bin/two");
    expect_held_back("exe=/usr/bin/on");
}

static void test_users_by_name(void **state)
{
    struct rollcall_event event = usual;

    (void)state;
    event.uid = 0;
    assert_true(passes("uid=root", &event));
    assert_false(passes("uid!=root", &event));
}

static void test_several_values(void **state)
{
    (void)state;
    expect_passes("pid=1,17,3");
    expect_held_back("pid=1,2,3");
    expect_passes("type=create,exec");
    expect_passes("uid=root,1000");
    expect_passes("comm=x*,two*");
    expect_held_back("comm=x*,y*");
}

static void test_not(void **state)
{
    (void)state;
    expect_passes("pid!=1");
    expect_held_back("pid!=17");
    expect_passes("pid!=1,2");
    expect_held_back("pid!=1,17");
    expect_held_back("type!=create,exec");
    expect_held_back("exe!=/usr/*");
}

static void test_all_terms_must_hold(void **state)
{
    struct filter *filter = filter_of("pid=17");
    char error[FILTER_ERROR_SIZE];

    (void)state;
    expect_passes("  pid=17\t type=exec \n");
    expect_held_back("pid=17 type=exit");
    expect_held_back("pid=18 type=exec");
    assert_true(filter_passes(filter, &usual, NULL));
    assert_int_equal(filter_add(&filter, "uid=0", error), 0);
    assert_false(filter_passes(filter, &usual, NULL));
    filter_free(filter);
}

static void test_quotes(void **state)
{
    struct rollcall_event event = usual;

    (void)state;
    expect_passes("comm=\"two words\" pid=17");
    expect_passes("comm=two' 'words");
    expect_passes("comm='x,y',\"two words\"");
    memcpy(event.comm, "it's, \"so\"", 11);
    assert_true(passes("comm=\"it's, \"'\"so\"'", &event));
    assert_false(passes("comm=\"it's\"", &event));
}

static void test_patterns(void **state)
{
    (void)state;
    expect_passes("comm=two*");
    expect_passes("comm=t?o?words");
    expect_passes("comm=[st]wo*");
    expect_passes("exe=/usr/*");
    expect_passes("exe=*two");
    expect_held_back("exe=two");
    expect_held_back("exe=/usr/bin/?");
}

/* A short name of 16 bytes has no end. */
static void test_full_comm(void **state)
{
    struct rollcall_event event = usual;

    (void)state;
    memcpy(event.comm, "0123456789abcdef", sizeof(event.comm));
    assert_true(passes("comm=0123456789abcdef", &event));
    assert_true(passes("comm=*f", &event));
    assert_false(passes("comm=0123456789abcde", &event));
}

/* What is not known fits nothing. */
static void test_absent_fields(void **state)
{
    struct rollcall_event event = {.type = ROLLCALL_CREATE, .pid = 17};
    struct filter *filter = filter_of("exe=*");

    (void)state;
    assert_false(passes("uid=0", &event));
    assert_true(passes("uid!=1", &event));
    event.ppid = 5;
    assert_false(passes("ppid=5", &event));
    assert_false(filter_passes(filter, &event, NULL));
    filter_free(filter);
}

static void test_gaps_always_pass(void **state)
{
    const struct rollcall_event gap = {.type = ROLLCALL_GAP, .lost = 3};

    (void)state;
    assert_true(passes("type=exec", &gap));
    assert_true(passes("pid=17 uid=0 comm=x exe=y descendants-of=3", &gap));
    assert_true(passes("type!=gap", &gap));
    assert_true(filter_passes(NULL, &usual, NULL));
}

/* It speaks of no process, so only `type` can be asked. */
static void test_synced(void **state)
{
    const struct rollcall_event synced = {.type = ROLLCALL_SYNCED};

    (void)state;
    assert_true(passes("pid=17", &synced));
    assert_true(passes("type=synced", &synced));
    assert_false(passes("type=exec", &synced));
}

static void test_wrong_expressions(void **state)
{
    static const struct {
        const char *expression;
        const char *said;
    } wrong[] = {{"", "for example type=exec"},
                 {" \t", "for example type=exec"},
                 {"pid", "use pid="},
                 {"pid = 1", "use pid="},
                 {"pids=1", "use pid="},
                 {"=1", "use pid="},
                 {"pid>1", "use pid="},
                 {"pid!1", "use pid="},
                 {"pid=", "use a pid"},
                 {"pid=0", "use a pid"},
                 {"pid=x", "use a pid"},
                 {"pid=-1", "use a pid"},
                 {"pid=1,", "use a pid"},
                 {"pid=4294967296", "use a pid"},
                 {"uid=no-such-user", "a user's name or number"},
                 {"type=exe", "create, exec, exit"},
                 {"comm=", "a pattern"},
                 {"comm=''", "a pattern"},
                 {"comm='x", "quote is not closed"},
                 {"exe=\"x'", "quote is not closed"},
                 {"descendants-of=1,2", "one pid"},
                 {"descendants-of!=1", "one pid"},
                 {"descendants-of=1 descendants-of=2", "one pid"},
                 {"pid=17 nonsense", "'nonsense'"}};

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct filter *filter = filter_of("uid=1000");
        const struct filter *before = filter;
        char error[FILTER_ERROR_SIZE] = "";

        if (filter_add(&filter, wrong[i].expression, error) != -EINVAL ||
            !strstr(error, wrong[i].said))
            fail_msg("'%s' is told as '%s'", wrong[i].expression, error);
        assert_ptr_equal(filter, before);
        assert_true(filter_passes(filter, &usual, NULL));
        filter_free(filter);
    }
}

/* However long the expression is, the reason fits where it goes. */
static void test_long_nonsense(void **state)
{
    size_t size = 100000;
    char *expression = malloc(size + 1);
    char error[FILTER_ERROR_SIZE];
    struct filter *filter = NULL;

    (void)state;
    assert_non_null(expression);
    memset(expression, 'x', size);
    expression[size] = '\0';
    assert_int_equal(filter_add(&filter, expression, error), -EINVAL);
    assert_true(memchr(error, '\0', sizeof(error)) != NULL);
    memcpy(expression, "comm=", 5);
    assert_int_equal(filter_add(&filter, expression, error), 0);
    assert_false(filter_passes(filter, &usual, NULL));
    filter_free(filter);
    free(expression);
}

static void test_what_must_be_known(void **state)
{
    struct filter *plain = filter_of("pid=1 comm=x type=exec");
    struct filter *program = filter_of("pid=1 exe=/x");
    struct filter *family = filter_of("type=exec descendants-of=42 uid=0");

    (void)state;
    assert_false(filter_needs_existing(NULL));
    assert_false(filter_needs_existing(plain));
    assert_true(filter_needs_existing(program));
    assert_true(filter_needs_existing(family));
    assert_int_equal(filter_ancestor(NULL), 0);
    assert_int_equal(filter_ancestor(plain), 0);
    assert_int_equal(filter_ancestor(family), 42);
    filter_free(plain);
    filter_free(program);
    filter_free(family);
}

/* ---- descendants ---- */

struct family {
    struct filter *filter;
    struct processes processes;
};

static int setup_family(void **state)
{
    struct family *family = calloc(1, sizeof(*family));

    family->filter = filter_of("descendants-of=100");
    family->processes.followed_pid = filter_ancestor(family->filter);
    *state = family;
    return 0;
}

static int teardown_family(void **state)
{
    struct family *family = *state;

    processes_clear(&family->processes);
    filter_free(family->filter);
    free(family);
    return 0;
}

static bool family_passes(struct family *family, unsigned type, uint32_t pid, uint32_t ppid,
                          uint32_t creator)
{
    struct made_event made;
    const struct rollcall_event *event = make_event(
        &made, &(struct rollcall_event){.type = (uint16_t)type,
                                        .present = ROLLCALL_HAS_PARENT |
                                                   (creator ? (uint32_t)ROLLCALL_HAS_CREATOR : 0u),
                                        .pid = pid,
                                        .ppid = ppid,
                                        .start_ns = pid,
                                        .parent_start_ns = ppid,
                                        .creator_pid = creator,
                                        .creator_tid = creator});
    const struct process *process = processes_update(&family->processes, event);
    bool result = filter_passes(family->filter, event, process);

    if (type == ROLLCALL_EXIT)
        processes_forget(&family->processes, event);
    return result;
}

static void test_descendants(void **state)
{
    struct family *family = *state;

    assert_false(family_passes(family, ROLLCALL_EXISTS, 1, 0, 0));
    assert_true(family_passes(family, ROLLCALL_EXISTS, 100, 1, 0));
    assert_true(family_passes(family, ROLLCALL_CREATE, 101, 100, 100));
    assert_true(family_passes(family, ROLLCALL_CREATE, 102, 101, 101));
    assert_false(family_passes(family, ROLLCALL_CREATE, 103, 1, 1));
    assert_true(family_passes(family, ROLLCALL_EXIT, 102, 101, 0));
}

/* Its parent is another one (CLONE_PARENT), but a descendant asked for it. */
static void test_descendants_through_the_creator(void **state)
{
    struct family *family = *state;

    family_passes(family, ROLLCALL_EXISTS, 1, 0, 0);
    family_passes(family, ROLLCALL_EXISTS, 100, 1, 0);
    assert_true(family_passes(family, ROLLCALL_CREATE, 101, 1, 100));
    assert_true(family_passes(family, ROLLCALL_CREATE, 102, 101, 101));
}

static void test_descendants_after_reparenting(void **state)
{
    struct family *family = *state;

    family_passes(family, ROLLCALL_EXISTS, 1, 0, 0);
    family_passes(family, ROLLCALL_EXISTS, 100, 1, 0);
    family_passes(family, ROLLCALL_CREATE, 101, 100, 100);
    family_passes(family, ROLLCALL_CREATE, 102, 101, 101);
    assert_true(family_passes(family, ROLLCALL_EXIT, 101, 100, 0));
    assert_true(family_passes(family, ROLLCALL_EXIT, 100, 1, 0));
    assert_true(family_passes(family, ROLLCALL_EXEC, 102, 1, 0));
    assert_true(family_passes(family, ROLLCALL_CREATE, 103, 102, 102));
    assert_true(family_passes(family, ROLLCALL_EXIT, 102, 1, 0));
    assert_true(family_passes(family, ROLLCALL_EXIT, 103, 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_users_by_name),
        cmocka_unit_test(test_several_values),
        cmocka_unit_test(test_not),
        cmocka_unit_test(test_all_terms_must_hold),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_full_comm),
        cmocka_unit_test(test_absent_fields),
        cmocka_unit_test(test_gaps_always_pass),
        cmocka_unit_test(test_synced),
        cmocka_unit_test(test_wrong_expressions),
        cmocka_unit_test(test_long_nonsense),
        cmocka_unit_test(test_what_must_be_known),
        cmocka_unit_test_setup_teardown(test_descendants, setup_family, teardown_family),
        cmocka_unit_test_setup_teardown(test_descendants_through_the_creator, setup_family,
                                        teardown_family),
        cmocka_unit_test_setup_teardown(test_descendants_after_reparenting, setup_family,
                                        teardown_family),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
