/* SPDX-License-Identifier: MIT */
#include "tests/attack/attacker.h"

#include "tests/kernel/scenario.h"

#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct made {
    _Atomic uint32_t count;
    _Atomic pid_t pid[MADE_MAX];
};

static struct made *made;
static char directory[] = "/tmp/rollcall-attack-XXXXXX";
static char program[64];
static pid_t owner; /* of the directory: not its children */

/* ---- his directory ---- */

static void remove_directory(void)
{
    char command[64];

    if (getpid() != owner)
        return;
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    if (system(command) != 0) // NOLINT(cert-env33-c)
        warnx("%s is left", directory);
}

static void copy_program(void)
{
    int from = open(LOAD_CHILD, O_RDONLY | O_CLOEXEC);
    struct stat st = {0};
    int to;

    snprintf(program, sizeof(program), "%s/load-child", directory);
    to = open(program, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (from < 0 || to < 0 || fstat(from, &st) < 0 ||
        sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size || fchmod(to, 0755) < 0)
        err(1, "%s", program);
    close(from);
    close(to);
}

void make_attack_directory(void)
{
    if (!mkdtemp(directory))
        err(1, "%s", directory);
    owner = getpid();
    atexit(remove_directory);
    copy_program();
    if (chown(directory, ATTACKER, ATTACKER) < 0)
        err(1, "%s", directory);
}

int attack_open(void **state)
{
    int failed = witness_open(state);

    made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED)
        err(1, "mmap");
    make_attack_directory();
    return failed;
}

int attack_close(void **state)
{
    munmap(made, sizeof(*made));
    return witness_close(state);
}

int attack_begin(void **state)
{
    made->count = 0;
    return witness_begin(state);
}

const char *attack_directory(void)
{
    return directory;
}

const char *attack_program(void)
{
    return program;
}

/* ---- he himself ---- */

void become_attacker(void)
{
    need(setgroups(0, NULL) == 0);
    need(setresgid(ATTACKER, ATTACKER, ATTACKER) == 0);
    need(setresuid(ATTACKER, ATTACKER, ATTACKER) == 0);
    /* Both go with the change of the user, and are there for one who has logged in. */
    need(prctl(PR_SET_DUMPABLE, 1) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
}

static void (*attack)(void);

static void be_attacker(void)
{
    become_attacker();
    attack();
}

pid_t start_attack(void (*body)(void))
{
    attack = body;
    return start_child(be_attacker);
}

pid_t run_attack(void (*body)(void), int *status)
{
    attack = body;
    return run_child(be_attacker, status);
}

pid_t start_load_attack(struct load *load, const struct load_options *opts)
{
    pid_t pid = fork();

    if (pid < 0)
        err(1, "fork");
    if (pid > 0)
        return pid;
    become_attacker();
    need(load_start(load, opts) == 0 && load_wait(load) == 0);
    _exit(0);
}

/* ---- what he made ---- */

void look_for(enum rollcall_type type, pid_t pid)
{
    int64_t limit = now_ms() + LIMIT_MS;

    while (!witness_event(type, pid, 0)) {
        assert_true(now_ms() < limit);
        witness_look();
    }
}

void note_made(pid_t pid)
{
    need(pid > 0);
    made->pid[atomic_fetch_add(&made->count, 1) % MADE_MAX] = pid;
}

pid_t made_pid(uint32_t n)
{
    assert_true(n < made->count);
    return made->pid[n];
}

void expect_made(uint32_t count, size_t execs, int status)
{
    assert_int_equal(made->count, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct rollcall_event *end = witness_life(made->pid[i], execs);

        if (status >= 0)
            assert_int_equal(end->status, status);
    }
}

pid_t only_child(pid_t creator)
{
    assert_int_equal(witness_created_by(creator), 1);
    return witness_child(creator, 0);
}

/* ---- texts ---- */

struct rollcall_string text_of(const struct rollcall_event *event, enum rollcall_text_field field)
{
    struct rollcall_string text;

    assert_non_null(event);
    assert_true(rollcall_event_text(event, field, &text));
    return text;
}

void expect_text(const struct rollcall_event *event, enum rollcall_text_field field,
                 const void *bytes, size_t size)
{
    struct rollcall_string text = text_of(event, field);

    assert_int_equal(text.flags, 0);
    assert_int_equal(text.size, size);
    assert_int_equal(text.full_size, size);
    assert_memory_equal(text.data, bytes, size);
}

void expect_words(const struct rollcall_event *event, enum rollcall_text_field field,
                  const char *text)
{
    expect_text(event, field, text, strlen(text));
}

/* ---- others who look ---- */

struct search {
    uint32_t pid;
    struct rollcall_event *found;
    bool synced;
};

static void take_existing(const struct rollcall_event *event, void *context)
{
    struct search *search = context;

    search->synced |= event->type == ROLLCALL_SYNCED;
    if (event->type != ROLLCALL_EXISTS || event->pid != search->pid)
        return;
    assert_null(search->found);
    search->found = malloc(event->size);
    assert_non_null(search->found);
    memcpy(search->found, event, event->size);
}

struct rollcall_event *told_as_existing(pid_t pid)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .flags = ROLLCALL_EXISTING};
    struct search search = {.pid = (uint32_t)pid};
    struct reader reader = {.rc = open_or_skip(&opts), .each = take_existing, .context = &search};
    int64_t limit = now_ms() + LIMIT_MS;

    while (!search.synced) {
        assert_true(now_ms() < limit);
        read_some(&reader, 100);
    }
    rollcall_close(reader.rc);
    assert_non_null(search.found);
    return search.found;
}

size_t read_command_line(pid_t pid, char *to, size_t room)
{
    char path[64];
    ssize_t size;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    size = fd < 0 ? -1 : read(fd, to, room);
    if (fd >= 0)
        close(fd);
    return size < 0 ? 0 : (size_t)size;
}
