/* SPDX-License-Identifier: MIT */
/* Arguments as long as the kernel takes them: cut, with their true length; and they cost nobody an
 * event, not in a ring that nobody reads, and not when it is only being filled with who is there. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG     (100u << 10) /* of one argument; the kernel takes 128 KiB */
#define MANY     15u
#define WRONG    125        /* what the program says to so many */
#define ARGS_MAX (1u << 20) /* of them, that the witness asks for */
#define RING                                                                                       \
    (16u << 20) /* of the witness: so many such texts fill it, and half of it holds
                                  what happens on this machine meanwhile */
#define FLOOD      40u
#define OTHERS     100u
#define BEGIN_RING (1u << 20) /* 30 texts of the default length */
#define THERE      60u
#define NAME       "load-child"

static char stays[] = "stays";
static char filler[LONG + 1];
static char *arguments[MANY + 2];

/* `count` of them, and how long all are together. */
static uint64_t set_arguments(unsigned count)
{
    static char name[] = NAME;

    memset(filler, 'x', LONG);
    memset(arguments, 0, sizeof(arguments));
    arguments[0] = name;
    for (unsigned i = 1; i <= count; i++)
        arguments[i] = filler;
    return sizeof(NAME) + (uint64_t)count * sizeof(filler);
}

static void execute(void)
{
    execv(attack_program(), arguments);
    need(0);
}

/* Its beginning, and how long it was. Returns how much of it there is. */
static size_t expect_cut(const struct rollcall_event *event, uint64_t full_size)
{
    struct rollcall_string text = text_of(event, ROLLCALL_ARGS);

    assert_int_equal(text.flags, ROLLCALL_TEXT_CUT);
    assert_int_equal(text.full_size, full_size);
    assert_in_range(text.size, sizeof(NAME) + 1, ARGS_MAX);
    assert_memory_equal(text.data, NAME, sizeof(NAME));
    for (size_t i = sizeof(NAME); i < text.size; i += sizeof(filler)) {
        size_t left = text.size - i;

        assert_memory_equal(text.data + i, filler, left < sizeof(filler) ? left : sizeof(filler));
    }
    return text.size;
}

static void test_longest(void **state)
{
    uint64_t full_size = set_arguments(MANY);
    int status;
    pid_t pid = run_attack(execute, &status);

    (void)state;
    witness_look();
    assert_int_equal(witness_life(pid, 1)->status, WRONG << 8);
    assert_int_equal(expect_cut(witness_event(ROLLCALL_EXEC, pid, 0), full_size), ARGS_MAX);
}

/* ---- in a ring that nobody reads ---- */

static void execute_many(void)
{
    for (unsigned i = 0; i < FLOOD; i++) {
        pid_t pid = fork();

        if (pid == 0)
            execute();
        note_made(pid);
        need(waitpid(pid, NULL, 0) == pid);
    }
}

static void test_flood_of_text(void **state)
{
    uint64_t full_size = set_arguments(MANY);
    pid_t others[OTHERS];
    unsigned shorter = 0;

    (void)state;
    run_attack(execute_many, NULL);
    for (unsigned i = 0; i < OTHERS; i++)
        others[i] = make_marker();
    assert_int_equal(witness_stats().lost[ROLLCALL_LOST_FULL], 0);
    witness_look();
    assert_int_equal(witness_count(ROLLCALL_GAP, 0), 0);
    expect_made(FLOOD, 1, WRONG << 8);
    for (unsigned i = 0; i < FLOOD; i++) {
        const struct rollcall_event *exec = witness_event(ROLLCALL_EXEC, made_pid(i), 0);

        shorter += expect_cut(exec, full_size) < ARGS_MAX;
        expect_words(exec, ROLLCALL_EXE, attack_program());
    }
    for (unsigned i = 0; i < OTHERS; i++)
        witness_life(others[i], 0);
    assert_in_range(shorter, FLOOD / 2, FLOOD - 1);
    assert_true(witness_stats().texts_cut >= shorter);
}

/* ---- when it begins ---- */

/* The first argument says that this program is to stay. */
static void be_one_of_many(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    arguments[0] = stays;
    execv("/proc/self/exe", arguments);
    need(0);
}

/* The pipe is closed when all have executed. */
static void keep_many(void)
{
    int ends[2];
    char byte;

    need(pipe2(ends, O_CLOEXEC) == 0);
    for (unsigned i = 0; i < THERE; i++) {
        pid_t pid = fork();

        if (pid == 0)
            be_one_of_many();
        note_made(pid);
    }
    close(ends[1]);
    need(read(ends[0], &byte, 1) == 0);
    shared->ready = 1;
    for (;;)
        pause();
}

struct beginning {
    unsigned made; /* processes of the attacker that were told of */
    unsigned shorter;
    bool lost;
    bool synced;
};

static void take(const struct rollcall_event *event, void *context)
{
    struct beginning *beginning = context;
    struct rollcall_string text;

    beginning->lost |= event->type == ROLLCALL_GAP;
    beginning->synced |= event->type == ROLLCALL_SYNCED;
    for (uint32_t i = 0; i < THERE && event->type == ROLLCALL_EXISTS; i++) {
        if (event->pid != (uint32_t)made_pid(i))
            continue;
        text = text_of(event, ROLLCALL_ARGS);
        assert_int_equal(text.flags, ROLLCALL_TEXT_CUT);
        beginning->made++;
        beginning->shorter += text.size < ROLLCALL_DEFAULT_ARGS_MAX;
    }
}

/* The reader is busy with telling of those that are there, and takes nothing out of the ring. */
static void test_many_when_it_begins(void **state)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .flags = ROLLCALL_EXISTING, .ring_size = BEGIN_RING};
    int64_t limit = now_ms() + LIMIT_MS;
    struct beginning beginning = {0};
    struct reader reader = {.each = take, .context = &beginning};
    pid_t pid;

    (void)state;
    set_arguments(2);
    pid = start_attack(keep_many);
    while (!shared->ready)
        assert_true(now_ms() < limit);
    reader.rc = open_or_skip(&opts);
    while (!beginning.synced) {
        assert_true(now_ms() < limit);
        read_some(&reader, 100);
    }
    rollcall_close(reader.rc);
    kill(pid, SIGKILL);
    wait_for(pid);
    assert_false(beginning.lost);
    assert_int_equal(beginning.made, THERE);
    assert_in_range(beginning.shorter, THERE / 2, THERE - 1);
}

static int open_witness(void **state)
{
    struct rollcall_options opts = {
        .struct_size = sizeof(opts), .ring_size = RING, .args_max = ARGS_MAX};
    void *options = &opts;

    (void)state;
    return attack_open(&options);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_longest, attack_begin),
        cmocka_unit_test_setup(test_flood_of_text, attack_begin),
        cmocka_unit_test_setup(test_many_when_it_begins, attack_begin),
    };

    if (argc > 1 && strcmp(argv[0], stays) == 0)
        for (;;)
            pause();
    return cmocka_run_group_tests(tests, open_witness, attack_close);
}
