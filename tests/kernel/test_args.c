/* SPDX-License-Identifier: MIT */
/* What an exec says of the program: arguments, path and working directory, byte for byte. */
#include "tests/kernel/scenario.h"
#include "tests/kernel/witness.h"

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGS_MAX   (8u << 20)
#define LONGEST    ((128u << 10) - 1) /* of one argument, its NUL not counted */
#define MANY       40
#define LEVEL      "a-name-of-a-directory-of-which-there-are-so-many-that-no-path-holds-them"
#define LEVELS     80
#define DEPTH      20
#define STACK_SIZE (64u << 20)

/* What the next child does before it executes, and what it executes. */
static char child_name[] = "load-child";
static char empty[] = "";
static char *arguments[MANY + 3];
static const char *program = LOAD_CHILD;
static const char *working_directory;
static const char *new_root;
static int program_fd = -1;

static char directory[] = "/tmp/rollcall-args-XXXXXX";
static char deep[PATH_MAX];

static void exec_it(void)
{
    struct rlimit stack;

    /* The kernel takes arguments up to a quarter of the stack. */
    need(getrlimit(RLIMIT_STACK, &stack) == 0);
    stack.rlim_cur = stack.rlim_max < STACK_SIZE ? stack.rlim_max : STACK_SIZE;
    need(setrlimit(RLIMIT_STACK, &stack) == 0);
    need(!new_root || chroot(new_root) == 0);
    need(!working_directory || chdir(working_directory) == 0);
    if (program_fd >= 0)
        syscall(SYS_execveat, program_fd, "", arguments, NULL, AT_EMPTY_PATH);
    else
        execv(program, arguments);
    need(0);
}

static int begin(void **state)
{
    memset(arguments, 0, sizeof(arguments));
    arguments[0] = child_name;
    arguments[1] = empty;
    program = LOAD_CHILD;
    working_directory = NULL;
    new_root = NULL;
    program_fd = -1;
    return witness_begin(state);
}

static struct rollcall_string text_of(pid_t pid, enum rollcall_text_field field)
{
    const struct rollcall_event *exec = witness_event(ROLLCALL_EXEC, pid, 0);
    struct rollcall_string text;

    assert_non_null(exec);
    assert_true(rollcall_event_text(exec, field, &text));
    return text;
}

static void assert_text(pid_t pid, enum rollcall_text_field field, const char *expected,
                        size_t size)
{
    struct rollcall_string text = text_of(pid, field);

    assert_int_equal(text.flags, 0);
    assert_int_equal(text.size, size);
    assert_int_equal(text.full_size, size);
    assert_memory_equal(text.data, expected, size);
}

static pid_t run_program(void)
{
    int status;
    pid_t pid = run_child(exec_it, &status);

    assert_int_not_equal(status, 100 << 8);
    witness_look();
    witness_life(pid, 1);
    return pid;
}

/* ---- arguments ---- */

/* All arguments as the kernel lays them out, each with its NUL. */
static char *join(size_t *size)
{
    char *joined;
    char *at;

    *size = 0;
    for (int i = 0; arguments[i]; i++)
        *size += strlen(arguments[i]) + 1;
    joined = malloc(*size + 1);
    if (!joined)
        err(1, "no memory");
    at = joined;
    for (int i = 0; arguments[i]; i++)
        at = stpcpy(at, arguments[i]) + 1;
    return joined;
}

static void check_arguments(void)
{
    pid_t pid = run_program();
    size_t size;
    char *joined = join(&size);

    assert_text(pid, ROLLCALL_ARGS, joined, size);
    free(joined);
}

/* The kernel may add an empty one: what /proc says counts. */
static void test_no_arguments(void **state)
{
    char cmdline[64];
    char path[64];
    ssize_t size;
    pid_t pid;
    int fd;

    (void)state;
    arguments[0] = arguments[1] = NULL;
    pid = start_child(exec_it);
    for (int64_t limit = now_ms() + LIMIT_MS; !witness_event(ROLLCALL_EXEC, pid, 0);) {
        assert_true(now_ms() < limit && !witness_event(ROLLCALL_EXIT, pid, 0));
        witness_look();
    }
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    size = read(fd, cmdline, sizeof(cmdline));
    close(fd);
    kill(pid, SIGKILL);
    wait_for(pid);
    assert_true(size >= 0);
    assert_text(pid, ROLLCALL_ARGS, cmdline, (size_t)size);
}

static void test_empty_arguments(void **state)
{
    (void)state;
    arguments[2] = arguments[4] = empty;
    arguments[3] = child_name;
    check_arguments();
}

static char *long_argument(size_t length, char letter)
{
    char *text = malloc(length + 1);

    if (!text)
        err(1, "no memory");
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + ((size_t)letter + i / 7) % 26);
    text[length] = '\0';
    return text;
}

static void free_arguments(void)
{
    for (int i = 1; arguments[i]; i++)
        free(arguments[i]);
}

static void test_longest_argument(void **state)
{
    (void)state;
    arguments[1] = long_argument(LONGEST, 0);
    check_arguments();
    free_arguments();
}

static void fill_megabytes(void)
{
    for (int i = 0; i < MANY; i++)
        arguments[1 + i] = long_argument((100u << 10) + (size_t)i, (char)i);
}

static void test_megabytes(void **state)
{
    (void)state;
    fill_megabytes();
    check_arguments();
    free_arguments();
}

static void test_any_bytes(void **state)
{
    char odd[] = "\n\t\x1b[31m\xff\xc3\x28 \xed\xa0\x80";
    char bytes[256];

    (void)state;
    for (int i = 1; i < 256; i++)
        bytes[i - 1] = (char)i;
    bytes[255] = '\0';
    arguments[1] = bytes;
    arguments[2] = odd;
    check_arguments();
}

/* With the default limit: the beginning, and how much there was. */
static void test_cut(void **state)
{
    struct rollcall_string text;
    size_t size;
    char *joined;

    (void)state;
    fill_megabytes();
    joined = join(&size);
    text = text_of(run_program(), ROLLCALL_ARGS);
    assert_int_equal(text.flags, ROLLCALL_TEXT_CUT);
    assert_int_equal(text.size, ROLLCALL_DEFAULT_ARGS_MAX);
    assert_int_equal(text.full_size, size);
    assert_memory_equal(text.data, joined, text.size);
    free(joined);
    free_arguments();
}

/* ---- the path ---- */

static void check_exe(const char *expected)
{
    assert_text(run_program(), ROLLCALL_EXE, expected, strlen(expected));
}

static void test_relative_path(void **state)
{
    char path[] = LOAD_CHILD;
    char *slash = strrchr(path, '/');
    char relative[64];

    (void)state;
    *slash = '\0';
    working_directory = path;
    snprintf(relative, sizeof(relative), "./%s", slash + 1);
    program = relative;
    check_exe(relative);
}

static void test_script(void **state)
{
    char path[64];
    FILE *script;

    (void)state;
    snprintf(path, sizeof(path), "%s/script", directory);
    script = fopen(path, "we");
    assert_non_null(script);
    fprintf(script, "#!%s\n", LOAD_CHILD);
    fclose(script);
    assert_int_equal(chmod(path, 0700), 0);
    program = path;
    check_exe(path);
    unlink(path);
}

static void test_longest_path(void **state)
{
    char path[PATH_MAX];
    size_t length = PATH_MAX - 1 - strlen(LOAD_CHILD);

    (void)state;
    memset(path, '/', length);
    memcpy(path + length, LOAD_CHILD, sizeof(LOAD_CHILD));
    program = path;
    check_exe(path);
}

static void test_descriptor(void **state)
{
    char expected[32];

    (void)state;
    program_fd = open(LOAD_CHILD, O_PATH | O_CLOEXEC);
    snprintf(expected, sizeof(expected), "/dev/fd/%d", program_fd);
    check_exe(expected);
    close(program_fd);
}

/* ---- the working directory ---- */

static void check_cwd(const char *expected)
{
    assert_text(run_program(), ROLLCALL_CWD, expected, strlen(expected));
}

/* One directory in the other: deep[] is the last. */
static void make_deep(void)
{
    size_t length = (size_t)snprintf(deep, sizeof(deep), "%s", directory);

    for (int i = 0; i < DEPTH; i++) {
        length += (size_t)snprintf(deep + length, sizeof(deep) - length,
                                   "/%02d-a-name-that-is-not-short-for-a-long-path", i);
        assert_int_equal(mkdir(deep, 0700), 0);
    }
}

static void remove_deep(void)
{
    while (strlen(deep) > strlen(directory)) {
        rmdir(deep);
        *strrchr(deep, '/') = '\0';
    }
}

static void test_deep_directory(void **state)
{
    (void)state;
    make_deep();
    working_directory = deep;
    check_cwd(deep);
    remove_deep();
}

/* Deeper than any path that a system call takes: what is kept is its end. */
static void exec_too_deep(void)
{
    need(chdir(directory) == 0);
    for (int i = 0; i < LEVELS; i++) {
        char name[] = LEVEL;

        need(mkdir(name, 0700) == 0 && chdir(name) == 0);
    }
    exec_it();
}

static void remove_levels(void)
{
    need(chdir(directory) == 0);
    execlp("rm", "rm", "-r", LEVEL, NULL);
    need(0);
}

static void test_too_deep_directory(void **state)
{
    static const char end[] = "/" LEVEL "/" LEVEL;
    struct rollcall_string text;
    int status;
    pid_t pid = run_child(exec_too_deep, &status);

    (void)state;
    witness_look();
    witness_life(pid, 1);
    text = text_of(pid, ROLLCALL_CWD);
    assert_int_equal(text.flags, ROLLCALL_TEXT_CUT);
    assert_int_equal(text.full_size, 0);
    assert_in_range(text.size, 4000, 4500);
    assert_memory_equal(text.data + text.size - strlen(end), end, strlen(end));
    run_child(remove_levels, NULL);
}

static void test_root_directory(void **state)
{
    (void)state;
    working_directory = "/";
    check_cwd("/");
}

static void exec_in_deleted(void)
{
    need(chdir(working_directory) == 0 && rmdir(working_directory) == 0);
    working_directory = NULL;
    exec_it();
}

/* Its path is where it was. */
static void test_deleted_directory(void **state)
{
    struct rollcall_string text;
    char path[64];
    int status;
    pid_t pid;

    (void)state;
    snprintf(path, sizeof(path), "%s/deleted", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    working_directory = path;
    pid = run_child(exec_in_deleted, &status);
    witness_look();
    witness_life(pid, 1);
    text = text_of(pid, ROLLCALL_CWD);
    assert_true(text.size >= strlen(path));
    assert_memory_equal(text.data, path, strlen(path));
}

/* Paths are as the process sees them. */
static void test_other_root(void **state)
{
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "%s/inside", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    program_fd = open(LOAD_CHILD, O_PATH | O_CLOEXEC);
    new_root = directory;
    working_directory = "/inside";
    check_cwd("/inside");
    close(program_fd);
    rmdir(path);
}

static int open_with_all(void **state)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts), .args_max = ARGS_MAX};
    void *options = &opts;

    (void)state;
    return witness_open(&options);
}

static pid_t main_pid;

static void clean_up(void)
{
    char path[64];

    if (getpid() != main_pid)
        return;
    snprintf(path, sizeof(path), "%s/script", directory);
    unlink(path);
    snprintf(path, sizeof(path), "%s/inside", directory);
    rmdir(path);
    remove_deep();
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest whole[] = {
        cmocka_unit_test_setup(test_no_arguments, begin),
        cmocka_unit_test_setup(test_empty_arguments, begin),
        cmocka_unit_test_setup(test_longest_argument, begin),
        cmocka_unit_test_setup(test_megabytes, begin),
        cmocka_unit_test_setup(test_any_bytes, begin),
        cmocka_unit_test_setup(test_relative_path, begin),
        cmocka_unit_test_setup(test_script, begin),
        cmocka_unit_test_setup(test_longest_path, begin),
        cmocka_unit_test_setup(test_descriptor, begin),
        cmocka_unit_test_setup(test_deep_directory, begin),
        cmocka_unit_test_setup(test_too_deep_directory, begin),
        cmocka_unit_test_setup(test_root_directory, begin),
        cmocka_unit_test_setup(test_deleted_directory, begin),
        cmocka_unit_test_setup(test_other_root, begin),
    };
    const struct CMUnitTest cut[] = {
        cmocka_unit_test_setup(test_cut, begin),
    };
    int failed;

    main_pid = getpid();
    if (!mkdtemp(directory))
        err(1, "%s", directory);
    atexit(clean_up);
    failed = cmocka_run_group_tests(whole, open_with_all, witness_close);
    return failed + cmocka_run_group_tests(cut, witness_open, witness_close);
}
