/* SPDX-License-Identifier: MIT */
/*
 * The policy `deny`. The reader is a process of its own, as what the reader's process does is exempt,
 * and so is its successor, which is there before nobody can be created any more. What they read is
 * kept in shared memory, and is compared with what this process knows of its children.
 */
#include "linux/bpf/layout.h"
#include "tests/kernel/part.h"
#include "tests/kernel/scenario.h"
#include "tests/load/alive.h"

#include <linux/sched.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define RING_SIZE    (128u << 10)
#define GRACE_MS     3000
#define WAIT_MS      60000 /* longer than anything takes that works */
#define EXIT_SPACE   (sizeof(struct ring_event) + 8)
#define CHILDREN_MAX 4096u
#define SEEN_MAX     65536u
#define CGROUP       "/sys/fs/cgroup/rollcall-test-exempt"
#define PIDS_CGROUP  "/sys/fs/cgroup/rollcall-test-pids"

/* How children end. */
enum { ENDS = 3, RUNS = 7, REFUSED = 111, WRONG = 112 };

struct seen {
    uint64_t seq;
    uint64_t lost;
    uint32_t type;
    uint32_t pid;
    uint32_t creator;
    uint32_t status; /* of a gap its reason */
};

/* Between the processes of the test. */
struct shared {
    _Atomic uint32_t reads; /* which reader is to open, and read; another one ends */
    _Atomic uint32_t opened;
    _Atomic uint32_t count;
    _Atomic uint32_t go;
    struct seen seen[SEEN_MAX];
};

struct child {
    pid_t pid;
    uint32_t execs;
    int status; /* as wait(2) gives it */
    bool ended;
};

static struct shared *shared;
static char name[ROLLCALL_NAME_MAX];
static pid_t readers[3]; /* by number; 0: it has ended */
static struct child children[CHILDREN_MAX];
static size_t children_count;

/* ---- readers ---- */

static void keep(const struct rollcall_batch *batch)
{
    const struct rollcall_event *event = NULL;

    while ((event = rollcall_batch_next(batch, event))) {
        struct seen *seen = &shared->seen[shared->count];

        if (shared->count == SEEN_MAX)
            errx(1, "more events than this test can keep");
        *seen =
            (struct seen){.seq = event->seq,
                          .lost = event->lost,
                          .type = event->type,
                          .pid = event->pid,
                          .creator = event->creator_pid,
                          .status = event->type == ROLLCALL_GAP ? event->reason : event->status};
        shared->count++;
    }
}

static void read_events(uint32_t number)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts),
                                          .name = name,
                                          .ring_size = RING_SIZE,
                                          .flags = ROLLCALL_DIRECT,
                                          .on_full = ROLLCALL_ON_FULL_DENY,
                                          .deny_grace_ms = GRACE_MS,
                                          .deny_exempt = CGROUP};
    struct rollcall_batch batch;
    struct rollcall *rc;

    while (shared->reads < number)
        usleep(1000);
    if (rollcall_open(&opts, &rc) < 0)
        errx(1, "open: %s", rollcall_error());
    shared->opened = number;
    while (shared->reads == number) {
        int n = rollcall_next(rc, 10, &batch);

        if (n < 0 && n != -EINTR)
            errx(1, "next: %s", rollcall_error());
        if (n <= 0)
            continue;
        keep(&batch);
        rollcall_ack(rc, batch.last_seq);
    }
    rollcall_close(rc);
}

/* It opens the consumer when shared->reads is its number. */
static pid_t start_reader(uint32_t number)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return readers[number] = pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    read_events(number);
    _exit(0);
}

static struct rollcall_stats stats(void)
{
    struct rollcall_stats now;

    if (rollcall_inspect(name, &now, sizeof(now)) < 0)
        fail_msg("inspect: %s", rollcall_error());
    return now;
}

static void pause_a_moment(int64_t limit, const char *what)
{
    if (now_ms() > limit)
        fail_msg("%s, in %d s", what, WAIT_MS / 1000);
    usleep(10000);
}

/* Lets that reader open, and waits until the policy holds. */
static void let_read(uint32_t number)
{
    int64_t limit = now_ms() + WAIT_MS;

    shared->reads = number;
    while (shared->opened != number)
        pause_a_moment(limit, "the reader does not open");
    while (!stats().deny_holds)
        pause_a_moment(limit, "`deny` does not hold");
}

/* Returns its status as wait(2) gives it. */
static int wait_for_reader(uint32_t number)
{
    pid_t pid = readers[number];

    readers[number] = 0;
    return wait_for(pid);
}

static void end_reader(uint32_t number)
{
    shared->reads = UINT32_MAX;
    assert_int_equal(wait_for_reader(number), 0);
}

static bool has_seen_exit(pid_t pid)
{
    for (uint32_t i = shared->count; i > 0; i--)
        if (shared->seen[i - 1].type == ROLLCALL_EXIT && shared->seen[i - 1].pid == (uint32_t)pid)
            return true;
    return false;
}

/* ---- children ---- */

static void run(const char *program)
{
    char status[16];

    snprintf(status, sizeof(status), "%d", RUNS);
    execl(program, program, status, NULL);
}

/* Forks one that does body(), and keeps it in mind. false: refused, with EAGAIN. */
static bool create(void (*body)(void))
{
    pid_t pid = fork();

    if (pid < 0) {
        assert_int_equal(errno, EAGAIN);
        return false;
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        _exit(ENDS);
    }
    assert_true(children_count < CHILDREN_MAX);
    children[children_count++] = (struct child){.pid = pid};
    return true;
}

static void take_ends(void)
{
    for (size_t i = 0; i < children_count; i++) {
        struct child *child = &children[i];

        if (child->ended)
            continue;
        child->ended = true;
        child->status = wait_for(child->pid);
        assert_true(WIFEXITED(child->status));
        assert_int_not_equal(WEXITSTATUS(child->status), WRONG);
        child->execs = WEXITSTATUS(child->status) == RUNS;
    }
}

static size_t count_ends(int status)
{
    size_t count = 0;

    for (size_t i = 0; i < children_count; i++)
        count += WEXITSTATUS(children[i].status) == status;
    return count;
}

static void only_end(void)
{
}

/* Some that fail, and then one that may be refused: then it lives on, and says so. */
static void run_program(void)
{
    if (execl("/", "/", NULL) == 0 || (errno != EACCES && errno != EAGAIN))
        _exit(WRONG);
    if (execl("/proc/self/status", "x", NULL) == 0 || (errno != EACCES && errno != EAGAIN))
        _exit(WRONG);
    run(LOAD_CHILD);
    _exit(errno == EAGAIN ? REFUSED : WRONG);
}

static void run_when_told(void)
{
    while (!shared->go)
        usleep(1000);
    run_program();
}

/* Creates until that is refused many times in a row. Returns how often it was. */
static size_t create_until_refused(void)
{
    size_t refused = 0;

    for (size_t i = 0; refused < 20; i++)
        refused += !create(i % 2 ? run_program : only_end);
    return refused;
}

static void create_when_possible(void (*body)(void))
{
    int64_t limit = now_ms() + WAIT_MS;

    while (!create(body))
        pause_a_moment(limit, "forks are refused");
    take_ends();
}

/* Up to a marker. */
static void let_it_catch_up(void)
{
    int64_t limit = now_ms() + WAIT_MS;
    pid_t marker;

    create_when_possible(only_end);
    marker = children[children_count - 1].pid;
    while (!has_seen_exit(marker))
        pause_a_moment(limit, "a marker's exit does not come");
}

/* ---- accounts ---- */

static int by_seq(const void *a, const void *b)
{
    const struct seen *x = a;
    const struct seen *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Who was killed with events in hand has not acknowledged them. */
static void remove_redelivered(void)
{
    uint32_t kept = 0;

    qsort(shared->seen, shared->count, sizeof(shared->seen[0]), by_seq);
    for (uint32_t i = 0; i < shared->count; i++)
        if (kept == 0 || shared->seen[i].seq != shared->seen[kept - 1].seq)
            shared->seen[kept++] = shared->seen[i];
    shared->count = kept;
}

static uint64_t count_lost(void)
{
    uint64_t lost = 0;

    for (uint32_t i = 0; i < shared->count; i++)
        lost += shared->seen[i].lost;
    return lost;
}

/* Nothing is lost, but of who is exempt, as kernel threads are that come to be in that moment; and where
 * the kernel skips programs a gap says how much may be missing at most. */
static void only_exempt_are_lost(void)
{
    uint64_t exempt = 3 * stats().exempted;
    uint64_t lost = 0;

    for (uint32_t i = 0; i < shared->count; i++) {
        const struct seen *seen = &shared->seen[i];

        if (seen->lost)
            printf("event %llu: before it %llu are lost, reason %u\n",
                   (unsigned long long)seen->seq, (unsigned long long)seen->lost, seen->status);
        if (seen->type == ROLLCALL_GAP && seen->status != ROLLCALL_LOST_SKIPPED)
            lost += seen->lost;
    }
    if (lost > exempt)
        fail_msg("%llu events are lost, at most %llu of them exempt", (unsigned long long)lost,
                 (unsigned long long)exempt);
}

static uint32_t count_seen(const struct child *child, uint32_t type)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < shared->count; i++) {
        const struct seen *seen = &shared->seen[i];

        if (seen->pid != (uint32_t)child->pid || seen->type != type)
            continue;
        if (type == ROLLCALL_CREATE)
            assert_int_equal(seen->creator, getpid());
        if (type == ROLLCALL_EXIT)
            assert_int_equal(seen->status, child->status);
        count++;
    }
    return count;
}

/* How many events of the children are missing; none is there twice, and there is none too many. */
static uint64_t count_missing(bool tell)
{
    uint64_t missing = 0;

    for (size_t i = 0; i < children_count; i++) {
        uint32_t creates = count_seen(&children[i], ROLLCALL_CREATE);
        uint32_t execs = count_seen(&children[i], ROLLCALL_EXEC);
        uint32_t exits = count_seen(&children[i], ROLLCALL_EXIT);

        if (creates > 1 || execs > children[i].execs || exits > 1)
            fail_msg("%u creates, %u execs, %u exits of %d", creates, execs, exits,
                     children[i].pid);
        if (tell && (creates < 1 || execs < children[i].execs || exits < 1))
            printf("%u creates, %u execs, %u exits of %d, which ran %u programs\n", creates, execs,
                   exits, children[i].pid, children[i].execs);
        missing += 2 + children[i].execs - creates - execs - exits;
    }
    return missing;
}

static uint64_t count_absent(void)
{
    uint64_t absent = 0;

    for (size_t i = 0; i < children_count; i++) {
        absent += count_seen(&children[i], ROLLCALL_CREATE) ? 0 : 1;
        absent += count_seen(&children[i], ROLLCALL_EXEC) < children[i].execs ? 1 : 0;
        absent += count_seen(&children[i], ROLLCALL_EXIT) ? 0 : 1;
    }
    return absent;
}

/* What the kernel says that it has skipped. */
static uint64_t count_skipped(void)
{
    uint64_t skipped = 0;

    for (uint32_t i = 0; i < shared->count; i++)
        if (shared->seen[i].type == ROLLCALL_GAP && shared->seen[i].status == ROLLCALL_LOST_SKIPPED)
            skipped += shared->seen[i].lost;
    return skipped;
}

/* Where the kernel skips programs, some exits are only written when the process is freed, and what is
 * missing is counted some seconds later. */
static void wait_for_records(uint64_t (*lost)(void))
{
    int64_t limit = now_ms() + WAIT_MS;

    while (count_absent() > lost() && now_ms() < limit)
        usleep(10000);
}

static void all_are_recorded(void)
{
    assert_true(count_missing(true) <= count_skipped());
}

/* When all is quiet, what is promised is the exits of those that live, and nothing else. */
static void wait_for_exact_promises(void)
{
    int64_t limit = now_ms() + WAIT_MS;
    uint64_t wanted;
    uint64_t promised;

    while ((promised = stats().promised) != (wanted = EXIT_SPACE * alive_count())) {
        if (now_ms() > limit)
            fail_msg("%llu bytes are promised, not %llu", (unsigned long long)promised,
                     (unsigned long long)wanted);
        usleep(10000);
    }
}

/* ---- tests ---- */

static int setup_group(void **state)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts),
                                    .name = name,
                                    .flags = ROLLCALL_DIRECT,
                                    .on_full = ROLLCALL_ON_FULL_DENY};

    (void)state;
    snprintf(name, sizeof(name), "test-deny-%d", getpid());
    rollcall_close(open_or_skip(&opts));
    if (mkdir(CGROUP, 0755) < 0 || mkdir(PIDS_CGROUP, 0755) < 0) {
        printf("skipped: cannot make a cgroup: %s\n", strerror(errno));
        rollcall_detach(name);
        exit(SKIPPED);
    }
    return rollcall_detach(name);
}

static int teardown_group(void **state)
{
    (void)state;
    rmdir(CGROUP);
    return rmdir(PIDS_CGROUP);
}

static int setup(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    children_count = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
        if (readers[i]) {
            kill(readers[i], SIGKILL);
            wait_for_reader(i);
        }
    munmap(shared, sizeof(*shared));
    return rollcall_detach(name);
}

static void *do_nothing(void *context)
{
    return context;
}

/* The reader is stopped until nobody can be created any more: each event of each process that ran is
 * there, and of none that did not. */
static void test_all_that_ran_is_recorded(void **state)
{
    pid_t reader = start_reader(1);
    pthread_t thread;
    size_t refused;

    (void)state;
    let_read(1);
    let_it_catch_up();
    kill(reader, SIGSTOP);
    for (int i = 0; i < 8; i++)
        assert_true(create(run_when_told));
    refused = create_until_refused();
    shared->go = 1;
    take_ends();
    assert_true(count_ends(REFUSED) > 0);
    assert_true(count_ends(RUNS) > 0);
    assert_true(stats().denied >= refused);
    assert_true(stats().denied_execs >= count_ends(REFUSED));
    assert_int_equal(pthread_create(&thread, NULL, do_nothing, NULL), 0);
    pthread_join(thread, NULL);
    kill(reader, SIGCONT);
    let_it_catch_up();
    create_when_possible(run_program);
    assert_int_equal(WEXITSTATUS(children[children_count - 1].status), RUNS);
    let_it_catch_up();
    wait_for_exact_promises();
    wait_for_records(count_skipped);
    end_reader(1);
    only_exempt_are_lost();
    all_are_recorded();
    printf("%zu processes ran, %zu forks and %zu execs were refused\n", children_count, refused,
           count_ends(REFUSED));
}

static void fork_fails_behind(void)
{
    pid_t one = 1; /* is taken */
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&one, .set_tid_size = 1};
    long pid = syscall(SYS_clone3, &args, sizeof(args));

    if (pid == 0)
        _exit(WRONG);
    assert_int_equal(pid, -1);
    assert_int_equal(errno, EEXIST);
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return done;
}

/* A limit that is only looked at when the fork is half done. */
static void fork_in_small_cgroup(void)
{
    if (!write_file(PIDS_CGROUP "/pids.max", "1") || !write_file(PIDS_CGROUP "/cgroup.procs", "0"))
        _exit(WRONG);
    for (uint32_t i = part_of(400); i > 0; i--)
        if (fork() >= 0 || errno != EAGAIN)
            _exit(WRONG);
}

static void *exit_thread(void *context)
{
    run(LOAD_CHILD);
    return context;
}

/* A thread that is not the first runs a program, and becomes the process. */
static void run_in_thread(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, exit_thread, NULL);
    pthread_join(thread, NULL);
    _exit(WRONG);
}

/* Whatever fails on the way: what was promised comes back. */
static void test_promises_come_back(void **state)
{
    bool has_pids = write_file("/sys/fs/cgroup/cgroup.subtree_control", "+pids");

    (void)state;
    start_reader(1);
    let_read(1);
    wait_for_exact_promises();
    for (uint32_t i = part_of(400); i > 0; i--)
        fork_fails_behind();
    wait_for_exact_promises();
    if (has_pids)
        create_when_possible(fork_in_small_cgroup);
    wait_for_exact_promises();
    for (uint32_t i = part_of(200); i > 0; i--) {
        create_when_possible(run_program);
        create_when_possible(run_in_thread);
    }
    wait_for_exact_promises();
    assert_int_equal(count_ends(REFUSED), 0);
    let_it_catch_up();
    wait_for_records(count_skipped);
    end_reader(1);
    assert_int_equal(stats().denied, 0);
    only_exempt_are_lost();
    all_are_recorded();
    if (!has_pids)
        printf("without the limit of a cgroup: there is no pids controller\n");
}

/* In the exempt cgroup; its child too. */
static void go_exempt(void)
{
    int status;
    pid_t pid;

    if (!write_file(CGROUP "/cgroup.procs", "0"))
        _exit(WRONG);
    while (!shared->go)
        usleep(1000);
    pid = fork();
    if (pid == 0)
        run(LOAD_CHILD);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != RUNS)
        _exit(WRONG);
}

/* Who is in the exempt cgroup is not refused, and what cannot be kept of it is counted. */
static void test_exempt(void **state)
{
    pid_t reader = start_reader(1);

    (void)state;
    let_read(1);
    let_it_catch_up();
    assert_true(create(go_exempt));
    kill(reader, SIGSTOP);
    create_until_refused();
    shared->go = 1;
    take_ends();
    assert_int_equal(WEXITSTATUS(children[1].status), ENDS);
    assert_true(stats().exempted > 0);
    kill(reader, SIGCONT);
    let_it_catch_up();
    wait_for_records(count_skipped);
    end_reader(1);
    all_are_recorded();
    only_exempt_are_lost();
}

/* The reader is killed with a full ring: its successor gets all, if it is there in time. */
static void succeed_reader(void (*meanwhile)(void))
{
    pid_t reader = start_reader(1);

    start_reader(2);
    let_read(1);
    let_it_catch_up();
    kill(reader, SIGSTOP);
    create_until_refused();
    take_ends();
    kill(reader, SIGKILL);
    wait_for_reader(1);
    meanwhile();
    let_read(2);
    assert_int_equal(stats().deny_ended, 0);
    let_it_catch_up();
    wait_for_exact_promises();
    wait_for_records(count_skipped);
    end_reader(2);
    remove_redelivered();
    only_exempt_are_lost();
    all_are_recorded();
}

static void nothing(void)
{
}

static void test_successor(void **state)
{
    (void)state;
    succeed_reader(nothing);
}

static void unpin_promises(void)
{
    static const char *const pins[] = {"promises", "promised"};
    char path[128];

    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "/sys/fs/bpf/rollcall/%s/%s", name, pins[i]);
        assert_int_equal(unlink(path), 0);
    }
}

/* Somebody removes the pins of what is promised: the programs lead to it. */
static void test_unpinned_promises(void **state)
{
    (void)state;
    succeed_reader(unpin_promises);
}

/* Nobody reads for longer than that: the policy ends by itself, and what is lost then is told. */
static void test_grace(void **state)
{
    pid_t reader = start_reader(1);
    int64_t killed;

    (void)state;
    start_reader(2);
    let_read(1);
    let_it_catch_up();
    kill(reader, SIGSTOP);
    create_until_refused();
    killed = now_ms();
    kill(reader, SIGKILL);
    wait_for_reader(1);
    create_when_possible(only_end);
    assert_true(now_ms() - killed >= GRACE_MS - 10);
    for (uint32_t i = part_of(400); i > 0; i--)
        create_when_possible(run_program);
    assert_int_equal(stats().deny_ended, 1);
    assert_int_equal(stats().deny_holds, 0);
    let_read(2);
    let_it_catch_up();
    wait_for_exact_promises();
    wait_for_records(count_lost);
    end_reader(2);
    remove_redelivered();
    assert_true(count_lost() > 0);
    assert_true(count_missing(false) > 0);
    assert_true(count_missing(false) <= count_lost());
    printf("%llu events lost, of them %llu of the load\n", (unsigned long long)count_lost(),
           (unsigned long long)count_missing(false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_that_ran_is_recorded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_promises_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exempt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_successor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unpinned_promises, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grace, setup, teardown),
    };

    return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
