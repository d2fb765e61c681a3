/* SPDX-License-Identifier: MIT */
/* A tracer can change what a process executes, and its memory afterwards; what is told is what was
 * executed, with what it was given. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define EXECUTED 9
#define INNOCENT "innocent"

/* What is executed: the tracee reads it, its tracer writes it into the tracee's memory. */
static char path[96];
static char argument[] = "9";

/* ---- what a tracer does ---- */

static void write_memory(pid_t pid, uintptr_t address, const char *bytes, size_t size)
{
    char file[64];
    int fd;

    snprintf(file, sizeof(file), "/proc/%d/mem", pid);
    fd = open(file, O_WRONLY | O_CLOEXEC);
    need(fd >= 0 && pwrite(fd, bytes, size, (off_t)address) == (ssize_t)size);
    close(fd);
}

/* Where the arguments are: the 48th field of /proc/PID/stat. */
static uintptr_t arguments_of(pid_t pid)
{
    char text[1024] = "";
    char file[64];
    char *at;
    int fd;

    snprintf(file, sizeof(file), "/proc/%d/stat", pid);
    fd = open(file, O_RDONLY | O_CLOEXEC);
    need(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    at = strrchr(text, ')');
    for (int field = 2; at && field < 48; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        _exit(100);
    return (uintptr_t)strtoull(at, NULL, 10);
}

/* Waits for its next stop by ptrace: the event, 0 for one at a system call. */
static int wait_for_stop(pid_t pid)
{
    int status;

    need(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    return status >> 16;
}

static pid_t start_tracee(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        char name[] = INNOCENT;
        char *const arguments[] = {name, argument, NULL};

        need(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0);
        execv(path, arguments);
        _exit(1);
    }
    note_made(pid);
    wait_for_stop(pid);
    need(ptrace(PTRACE_SETOPTIONS, pid, NULL,
                PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) == 0);
    return pid;
}

static void continue_to_exec(pid_t pid)
{
    need(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
    need(wait_for_stop(pid) == PTRACE_EVENT_EXEC);
}

static void continue_to_end(pid_t pid)
{
    int status = 1;

    need(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid);
    need(status == EXECUTED << 8);
}

/* ---- the attacks ---- */

/* Before the program's first instruction. */
static void change_arguments(void)
{
    char changed[64];
    pid_t pid = start_tracee();

    continue_to_exec(pid);
    write_memory(pid, arguments_of(pid), "harmless", sizeof(INNOCENT) - 1);
    need(read_command_line(pid, changed, sizeof(changed)) > 0 && strcmp(changed, "harmless") == 0);
    continue_to_end(pid);
}

static void test_arguments_changed_at_exec(void **state)
{
    const struct rollcall_event *exec;

    (void)state;
    snprintf(path, sizeof(path), "%s", attack_program());
    run_attack(change_arguments, NULL);
    witness_look();
    expect_made(1, 1, EXECUTED << 8);
    exec = witness_event(ROLLCALL_EXEC, made_pid(0), 0);
    expect_words(exec, ROLLCALL_EXE, attack_program());
    expect_text(exec, ROLLCALL_ARGS,
                INNOCENT "\0"
                         "9",
                sizeof(INNOCENT) + 2);
}

/* At the entry of the system call, where a filter of system calls has seen another path. */
static void change_path(void)
{
    struct __ptrace_syscall_info info = {0};
    pid_t pid = start_tracee();

    while (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_execve) {
        need(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
        wait_for_stop(pid);
        need(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0);
    }
    write_memory(pid, (uintptr_t)path, attack_program(), strlen(attack_program()) + 1);
    continue_to_exec(pid);
    continue_to_end(pid);
}

static void test_path_changed_in_the_call(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/nonexistent");
    run_attack(change_path, NULL);
    witness_look();
    expect_made(1, 1, EXECUTED << 8);
    expect_words(witness_event(ROLLCALL_EXEC, made_pid(0), 0), ROLLCALL_EXE, attack_program());
}

/* It ends with its tracer, in the midst of an exec. */
static void leave_tracee(void)
{
    continue_to_exec(start_tracee());
    _exit(0);
}

static void test_killed_by_the_end_of_its_tracer(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "%s", attack_program());
    run_attack(leave_tracee, NULL);
    look_for(ROLLCALL_EXIT, made_pid(0));
    expect_made(1, 1, SIGKILL);
}

/* Another one than its parent traces it, and is told of its end first. */
static void take_over(void)
{
    pid_t pid = fork();
    pid_t tracer;
    int status = 1;

    if (pid == 0)
        for (;;)
            pause();
    note_made(pid);
    tracer = fork();
    if (tracer == 0) {
        need(ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 && kill(pid, SIGKILL) == 0);
        need(waitpid(pid, &status, __WALL) == pid && status == SIGKILL);
        _exit(0);
    }
    need(waitpid(tracer, &status, 0) == tracer && status == 0);
    need(waitpid(pid, &status, 0) == pid && status == SIGKILL);
}

static void test_tracer_takes_the_status(void **state)
{
    pid_t parent = run_attack(take_over, NULL);

    (void)state;
    witness_look();
    expect_made(1, 0, SIGKILL);
    assert_int_equal(witness_event(ROLLCALL_EXIT, made_pid(0), 0)->ppid, parent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_arguments_changed_at_exec, attack_begin),
        cmocka_unit_test_setup(test_path_changed_in_the_call, attack_begin),
        cmocka_unit_test_setup(test_killed_by_the_end_of_its_tracer, attack_begin),
        cmocka_unit_test_setup(test_tracer_takes_the_status, attack_begin),
    };

    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
