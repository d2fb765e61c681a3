/* SPDX-License-Identifier: MIT */
/* The daemon's policy `deny`: while its journal is locked, and when it is dead, until its grace is over. What
 * ran is in the journal, exactly, or a gap says that it may be missing. */
#include "tests/daemon/rig.h"

#include <sqlite3.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_MS     3000u
#define IN_A_ROW     20u /* refused: nobody can be created any more */
#define CHILDREN_MAX 8192u
#define AFTERWARDS   50u
#define LIVING       50u

static const char *const arguments[] = {"--on-full",    "deny", "--ring-size", "256K",
                                        "--deny-grace", "3s",   NULL};

static pid_t children[CHILDREN_MAX];
static uint32_t count;

/* ---- processes ---- */

/* false: it was refused. */
static bool create(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(3);
    if (pid < 0) {
        CHECK_EQUAL(errno, EAGAIN);
        return false;
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 3);
    CHECK(count < CHILDREN_MAX);
    children[count++] = pid;
    return true;
}

static void create_until_refused(void)
{
    uint32_t refused = 0;

    while (refused < IN_A_ROW)
        refused = create() ? 0 : refused + 1;
}

/* Processes that live until they are released. */
static void create_living(int released[2])
{
    CHECK(pipe(released) == 0);
    for (uint32_t i = 0; i < LIVING; i++) {
        pid_t pid = fork();
        char byte;

        CHECK(pid >= 0);
        if (pid == 0) {
            close(released[1]);
            _exit(read(released[0], &byte, 1) == 0 ? 3 : 4);
        }
        children[count++] = pid;
    }
    close(released[0]);
}

static void release(const int released[2])
{
    close(released[1]);
    for (uint32_t i = 0; i < LIVING; i++) {
        int status;

        CHECK(waitpid(children[i], &status, 0) == children[i]);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    }
}

static void create_when_possible(void)
{
    while (!create())
        usleep(10000);
}

/* ---- what is known of it ---- */

static struct rollcall_stats kernel_stats(const struct rig *rig)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = rig->name, .flags = ROLLCALL_DIRECT};
    struct rollcall_stats stats;

    CHECK_EQUAL(rollcall_inspect_at(&opts, &stats, sizeof(stats)), 0);
    return stats;
}

static void wait_until_it_holds(const struct rig *rig)
{
    while (!kernel_stats(rig).deny_holds)
        usleep(10000);
}

static uint64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    uint64_t value;

    CHECK_EQUAL(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    CHECK_EQUAL(sqlite3_step(statement), SQLITE_ROW);
    value = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* How many events of the children from `first` on the journal does not have. None is there twice. */
static uint64_t missing(sqlite3 *db, uint32_t first)
{
    uint64_t lacks = 0;
    char sql[160];

    for (uint32_t i = first; i < count; i++)
        for (int type = ROLLCALL_CREATE; type <= ROLLCALL_EXIT;
             type += ROLLCALL_EXIT - ROLLCALL_CREATE) {
            uint64_t has;

            snprintf(sql, sizeof(sql),
                     "SELECT count(*) FROM events WHERE pid = %d AND type = %d AND ppid = %d",
                     (int)children[i], type, (int)getpid());
            has = ask(db, sql);
            CHECK(has <= 1);
            lacks += 1 - has;
        }
    return lacks;
}

/* ---- the test ---- */

static void skip_where_it_cannot_be(const struct rig *rig)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts),
                                    .name = rig->name,
                                    .flags = ROLLCALL_DIRECT,
                                    .on_full = ROLLCALL_ON_FULL_DENY};
    struct rollcall *rc;
    int err = rollcall_open(&opts, &rc);

    if (err == -EPERM || err == -EOPNOTSUPP)
        rig_skip(rollcall_error());
    CHECK_EQUAL(err, 0);
    rollcall_close(rc);
    CHECK_EQUAL(rollcall_detach_at(&opts), 0);
}

static void run_sql(sqlite3 *db, const char *sql)
{
    CHECK_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Who lives can end, although nobody can be created. Consumers have what was taken before; when the journal is
 * free again forks work, and all is there. */
static void locked_journal(struct rig *rig, sqlite3 *db)
{
    const struct behaviour reads = {.name = NULL};
    pid_t consumer = rig_consume(rig, 0, &reads);
    struct rollcall_stats stats;
    int released[2];

    create_living(released);
    run_sql(db, "BEGIN IMMEDIATE");
    create_until_refused();
    release(released);
    CHECK(kernel_stats(rig).denied >= IN_A_ROW);
    while (rig->heard[0].last_seq < rig_newest(rig))
        usleep(1000);
    run_sql(db, "ROLLBACK");
    create_when_possible();
    rig_mark_end();
    rig_await(consumer);
    CHECK_EQUAL(kernel_stats(rig).deny_holds, 1);
    stats = kernel_stats(rig);
    CHECK(rig->heard[0].lost <= 3 * stats.exempted + stats.lost[ROLLCALL_LOST_SKIPPED]);
}

/* Nobody reads: nobody is created until the grace is over, and then what is missing is told. That there is no
 * room is so before it dies, as to fill it can take longer than the grace. Returns how many had been created
 * by then. */
static uint32_t dead_daemon(struct rig *rig, sqlite3 *db)
{
    uint32_t before;
    uint64_t killed;

    run_sql(db, "BEGIN IMMEDIATE");
    create_until_refused();
    before = count;
    killed = rig_now_ms();
    rig_stop(rig, SIGKILL);
    run_sql(db, "ROLLBACK");
    create_when_possible();
    CHECK(rig_now_ms() - killed >= GRACE_MS - 10);
    CHECK_EQUAL(kernel_stats(rig).deny_ended, 1);
    for (uint32_t i = 0; i < AFTERWARDS; i++)
        create_when_possible();
    rig_start(rig, arguments);
    wait_until_it_holds(rig);
    create_when_possible();
    return before;
}

static void test(struct rig *rig)
{
    uint32_t before;
    uint64_t skipped;
    uint64_t lacks;
    sqlite3 *db;

    skip_where_it_cannot_be(rig);
    rig_start(rig, arguments);
    wait_until_it_holds(rig);
    CHECK_EQUAL(sqlite3_open(rig->journal, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 60000);
    locked_journal(rig, db);
    before = dead_daemon(rig, db);
    rig_stop(rig, SIGTERM);
    lacks = missing(db, before);
    CHECK(lacks > 0);
    CHECK(lacks <= ask(db, "SELECT sum(lost) FROM gaps"));
    /* Where the kernel skips none, none is missing of those that were admitted. */
    skipped = ask(db, "SELECT coalesce(sum(lost), 0) FROM gaps WHERE reason = 'skipped'");
    CHECK(missing(db, 0) - lacks <= skipped);
    printf("%u processes ran, %u of them behind a dead daemon, of which %llu events are lost\n",
           count, count - before, (unsigned long long)lacks);
    CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
    return rig_main(test);
}
