/* SPDX-License-Identifier: MIT */
/*
 * Two builds with different programs take the same capture over from each other, under load:
 * no event is lost, none comes twice, and no gap is reported. With DENIES it is under the policy
 * `deny`, whose promises are taken over, too, and are exact in the end.
 */
#include "linux/bpf/layout.h"
#include "tests/kernel/part.h"
#include "tests/kernel/tap.h"
#include "tests/load/alive.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TAKEOVERS 20
#define LIMIT_S   60
#define SKIPPED   77

static char name[ROLLCALL_NAME_MAX];
static char file[64];

static int setup(void **state)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts),
                                    .name = name,
                                    .on_full =
                                        DENIES ? ROLLCALL_ON_FULL_DENY : ROLLCALL_ON_FULL_GAP};
    struct rollcall *rc;

    (void)state;
    snprintf(name, sizeof(name), "test-takeover-%d", getpid());
    snprintf(file, sizeof(file), "/tmp/rollcall-takeover-%d", getpid());
    if (rollcall_open(&opts, &rc) < 0) {
        printf("skipped: %s\n", rollcall_error());
        exit(SKIPPED);
    }
    rollcall_close(rc);
    return 0;
}

static int teardown(void **state)
{
    struct rollcall_stats stats;

    (void)state;
    if (rollcall_inspect(name, &stats, sizeof(stats)) == 0 && stats.states_failed)
        printf("%llu times no memory for a state\n", (unsigned long long)stats.states_failed);
    unlink(file);
    return rollcall_detach(name);
}

/* Creates processes, each of which runs a program, until it is killed; counts them in *made. */
static pid_t start_load(_Atomic uint64_t *made)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    setpgid(0, 0);
    for (;;) {
        pid_t child = fork();

        if (child == 0) {
            execl("/bin/true", "true", NULL);
            _exit(127);
        }
        waitpid(child, NULL, 0);
        ++*made;
    }
}

static pid_t start_tap(const char *build)
{
    char path[256];
    pid_t pid;

    snprintf(path, sizeof(path), "%s/tap_%s", TAP_DIRECTORY, build);
    pid = fork();
    if (pid == 0) {
        execl(path, path, name, file, DENIES ? "deny" : NULL, NULL);
        _exit(127);
    }
    return pid;
}

static off_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 ? 0 : st.st_size;
}

/* Until the tap has written more than `size` bytes: then it reads. */
static void wait_for_progress(off_t size, pid_t tap)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    while (size_of(file) <= size) {
        assert_int_equal(waitpid(tap, NULL, WNOHANG), 0);
        nanosleep(&pause, NULL);
    }
}

/* A write that a SIGKILL interrupts can end in the midst of an event. */
static void remove_part(void)
{
    off_t size = size_of(file);

    assert_int_equal(truncate(file, size - size % (off_t)sizeof(struct tapped)), 0);
}

static void end_tap(pid_t tap, int signal)
{
    int status;

    kill(tap, signal);
    assert_int_equal(waitpid(tap, &status, 0), tap);
    remove_part();
    if (signal == SIGKILL)
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    else
        assert_int_equal(status, 0);
}

static int by_seq(const void *a, const void *b)
{
    const struct tapped *x = a;
    const struct tapped *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static struct tapped *read_tapped(size_t *count)
{
    off_t size = size_of(file);
    struct tapped *events = malloc((size_t)size + 1);
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    assert_non_null(events);
    assert_int_equal(read(fd, events, (size_t)size), size);
    close(fd);
    *count = (size_t)size / sizeof(*events);
    qsort(events, *count, sizeof(*events), by_seq);
    return events;
}

/* After a SIGKILL the last batch may come twice: the same events with the same numbers. */
static size_t remove_redelivered(struct tapped *events, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && events[kept - 1].seq == events[i].seq) {
            assert_memory_equal(&events[kept - 1], &events[i], sizeof(*events));
            continue;
        }
        events[kept++] = events[i];
    }
    return kept;
}

/* What was told of the process of this event, up to it. */
static void show_life(const struct tapped *events, size_t last)
{
    for (size_t i = 0; i <= last; i++)
        if (events[i].pid == events[last].pid)
            print_error("seq %llu: %s of %u, started at %llu\n", (unsigned long long)events[i].seq,
                        rollcall_type_name(events[i].type), events[i].pid,
                        (unsigned long long)events[i].start_ns);
}

/* Each life: create (or exists), execs, exit; and every seq there. */
static void check(const struct tapped *events, size_t count)
{
    uint64_t *life = calloc(1u << 22, sizeof(*life));
    uint64_t complete = 0;

    assert_non_null(life);
    for (size_t i = 0; i < count; i++) {
        const struct tapped *e = &events[i];

        assert_int_equal(e->seq, i + 1);
        assert_int_equal(e->epoch, events[0].epoch);
        assert_int_not_equal(e->type, ROLLCALL_GAP);
        assert_true(e->pid < 1u << 22);
        if (e->type == ROLLCALL_CREATE || e->type == ROLLCALL_EXISTS) {
            if (life[e->pid] != 0)
                show_life(events, i);
            assert_int_equal(life[e->pid], 0);
            life[e->pid] = e->start_ns;
        } else if (e->type == ROLLCALL_EXEC || e->type == ROLLCALL_EXIT) {
            assert_int_equal(life[e->pid], e->start_ns);
        }
        if (e->type == ROLLCALL_EXIT) {
            life[e->pid] = 0;
            complete++;
        }
    }
    printf("%zu events, %llu complete lives\n", count, (unsigned long long)complete);
    free(life);
}

static size_t count_type(const struct tapped *events, size_t count, uint32_t type)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += events[i].type == type;
    return n;
}

/* When all is quiet: the exits of those that live, and nothing else. */
static void check_promises(void)
{
    const uint64_t exit_space = sizeof(struct ring_event) + 8;
    const struct timespec pause = {.tv_nsec = 10000000};
    struct rollcall_stats stats;

    for (int i = 0; i < LIMIT_S * 100; i++) {
        assert_int_equal(rollcall_inspect(name, &stats, sizeof(stats)), 0);
        if (stats.promised == alive_count() * exit_space)
            return;
        nanosleep(&pause, NULL);
    }
    fail_msg("%llu bytes are promised to %llu processes", (unsigned long long)stats.promised,
             (unsigned long long)alive_count());
}

static void test_builds_take_over(void **state)
{
    _Atomic uint64_t *made =
        mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint32_t takeovers = part_of(TAKEOVERS);
    struct tapped *events;
    size_t count;
    pid_t load;
    pid_t tap;

    (void)state;
    load = start_load(made);
    for (uint32_t i = 0; i < takeovers; i++) {
        off_t size = size_of(file);

        tap = start_tap(i % 2 ? "other" : "static");
        wait_for_progress(size + 20000, tap);
        end_tap(tap, i % 4 < 2 ? SIGTERM : SIGKILL);
    }
    kill(-load, SIGKILL);
    waitpid(load, NULL, 0);
    /* One more, which reads to the end. */
    tap = start_tap("static");
    for (;;) {
        struct rollcall_stats stats;

        assert_int_equal(rollcall_inspect(name, &stats, sizeof(stats)), 0);
        if (stats.ring_used == 0)
            break;
    }
    if (DENIES)
        check_promises();
    end_tap(tap, SIGTERM);
    events = read_tapped(&count);
    count = remove_redelivered(events, count);
    check(events, count);
    assert_true(count_type(events, count, ROLLCALL_CREATE) >= *made);
    assert_true(count_type(events, count, ROLLCALL_EXEC) >= *made);
    free(events);
    munmap(made, sizeof(*made));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_builds_take_over, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
