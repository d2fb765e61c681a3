/* SPDX-License-Identifier: MIT */
/*
 * What happens when the kernel skips both programs of an exec: in the programs of this test each
 * second exec of a process is, as if the kernel had. It is told all the same, once, late: by the next
 * exec, fork or exit of the process, whichever comes first, and before it. What only looks like an
 * exec, because it has failed when the kernel had counted it, is not told.
 */
#include "tests/kernel/part.h"
#include "tests/kernel/scenario.h"
#include "tests/kernel/witness.h"

#include "linux/exit_hook.h"

#include <bpf/btf.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LONGEST 4

/* What the last program of a chain does. */
enum end { EXITS, FORKS, IS_KILLED, FAILS_TO_EXEC, FROM_A_THREAD, ENDS };

static const char end_names[ENDS][14] = {"exits", "forks", "is-killed", "fails-to-exec",
                                         "from-thread"};

static char broken_program[] = "/tmp/rollcall-broken-XXXXXX";

/* The next chain: a child has no arguments. */
static int chain_length;
static enum end chain_end;

static unsigned late;

/* ---- in the children ---- */

static void exec_on(int left, const char *end)
{
    char text[12];

    snprintf(text, sizeof(text), "%d", left);
    execl("/proc/self/exe", "chain", text, end, broken_program, NULL);
    need(0);
}

static void *exec_from_thread(void *context)
{
    (void)context;
    exec_on(0, end_names[EXITS]);
    return NULL;
}

/* Its leader does not come back: it is what the thread becomes. */
static void start_thread_that_execs(void)
{
    pthread_t thread;

    need(pthread_create(&thread, NULL, exec_from_thread, NULL) == 0);
    pthread_join(thread, NULL);
}

static void do_nothing(void)
{
}

static void go_on(int left, const char *end)
{
    if (left > 0)
        exec_on(left - 1, end);
    if (strcmp(end, end_names[FORKS]) == 0)
        run_child(do_nothing, NULL);
    else if (strcmp(end, end_names[IS_KILLED]) == 0)
        raise(SIGKILL);
    else if (strcmp(end, end_names[FAILS_TO_EXEC]) == 0)
        need(execl(broken_program, "broken", NULL) == 0);
    else if (strcmp(end, end_names[FROM_A_THREAD]) == 0)
        start_thread_that_execs();
    exit(0);
}

static void begin_chain(void)
{
    go_on(chain_length, end_names[chain_end]);
}

/* ---- the truth, and what was told ---- */

static pid_t run_chain(int length, enum end end, int *status)
{
    chain_length = length;
    chain_end = end;
    return run_child(begin_chain, status);
}

static void expect_execs(pid_t pid, size_t execs)
{
    witness_life(pid, execs);
    for (size_t i = 0; i < execs; i++) {
        const struct rollcall_event *exec = witness_event(ROLLCALL_EXEC, pid, i);
        struct rollcall_string exe;

        late += exec->flags & ROLLCALL_LATE ? 1 : 0;
        assert_int_equal(rollcall_event_text(exec, ROLLCALL_EXE, &exe),
                         !(exec->flags & ROLLCALL_LATE));
    }
}

/* Whichever is skipped of them, some are the last one. */
static void test_any_length(void **state)
{
    (void)state;
    for (int length = 0; length <= LONGEST; length++) {
        pid_t pid = run_chain(length, EXITS, NULL);

        witness_look();
        expect_execs(pid, (size_t)length);
    }
}

static void test_before_a_fork(void **state)
{
    (void)state;
    for (int length = 1; length <= LONGEST; length++) {
        pid_t pid = run_chain(length, FORKS, NULL);
        pid_t child;

        witness_look();
        expect_execs(pid, (size_t)length);
        child = witness_child(pid, 0);
        assert_true(witness_event(ROLLCALL_EXEC, pid, (size_t)length - 1)->seq <
                    witness_event(ROLLCALL_CREATE, child, 0)->seq);
        witness_life(child, 0);
    }
}

static void test_by_a_thread(void **state)
{
    (void)state;
    for (int length = 1; length <= LONGEST; length++) {
        pid_t pid = run_chain(length, FROM_A_THREAD, NULL);

        witness_look();
        expect_execs(pid, (size_t)length + 1);
    }
}

/* Kernels that look at an exit when its memory is gone cannot tell it from a failed one. */
static bool ends_with_memory(void)
{
    struct btf *btf = btf__load_vmlinux_btf();
    bool is_so = btf && exit_hook_names_last(btf);

    btf__free(btf);
    return is_so;
}

static void test_killed(void **state)
{
    (void)state;
    if (!ends_with_memory()) {
        printf("skipped: this kernel shows exits when the memory of the process is gone\n");
        skip();
    }
    for (int length = 1; length <= LONGEST; length++) {
        int status;
        pid_t pid = run_chain(length, IS_KILLED, &status);

        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        witness_look();
        expect_execs(pid, (size_t)length);
    }
}

static void test_failed_behind_the_point_of_no_return(void **state)
{
    (void)state;
    for (int length = 0; length <= LONGEST; length++) {
        int status;
        pid_t pid = run_chain(length, FAILS_TO_EXEC, &status);

        assert_true(WIFSIGNALED(status));
        witness_look();
        expect_execs(pid, (size_t)length);
    }
}

/* ---- set-up ---- */

/* Its one segment would lie where the kernel is, which is found when the old program is gone. */
static bool write_broken_program(void)
{
    const struct {
        Elf64_Ehdr head;
        Elf64_Phdr segment;
    } program = {
        .head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                             EV_CURRENT},
                 .e_type = ET_EXEC,
                 .e_machine = EM_X86_64,
                 .e_version = EV_CURRENT,
                 .e_phoff = sizeof(Elf64_Ehdr),
                 .e_ehsize = sizeof(Elf64_Ehdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 1},
        .segment = {.p_type = PT_LOAD,
                    .p_flags = PF_R | PF_X,
                    .p_vaddr = 0xffffffff80000000,
                    .p_filesz = sizeof(program),
                    .p_memsz = sizeof(program),
                    .p_align = 4096},
    };
    int fd = mkstemp(broken_program);
    bool ok =
        fd >= 0 && write(fd, &program, sizeof(program)) == sizeof(program) && fchmod(fd, 0700) == 0;

    /* A file that is open for writing is not executed. */
    if (fd >= 0)
        close(fd);
    return ok;
}

static int open_all(void **state)
{
    return write_broken_program() ? witness_open(state) : -1;
}

static int close_all(void **state)
{
    unlink(broken_program);
    printf("%u execs told late\n", late);
    return witness_close(state) == 0 && late > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_any_length, witness_begin),
        cmocka_unit_test_setup(test_before_a_fork, witness_begin),
        cmocka_unit_test_setup(test_by_a_thread, witness_begin),
        cmocka_unit_test_setup(test_killed, witness_begin),
        cmocka_unit_test_setup(test_failed_behind_the_point_of_no_return, witness_begin),
    };

    if (argc == 4 && strcmp(argv[0], "chain") == 0) {
        memcpy(broken_program, argv[3], sizeof(broken_program));
        go_on((int)strtol(argv[1], NULL, 10), argv[2]);
    }
    return cmocka_run_group_tests(tests, open_all, close_all);
}
