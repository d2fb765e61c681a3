/* SPDX-License-Identifier: MIT */
/* What systemd is told: ready, alive as long as both threads are, what the daemon waits for, and when it
 * reads its settings again and ends. */
#include "tests/daemon/rig.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int inbox;

static void open_inbox(const struct rig *rig)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", rig->directory);
    inbox = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(inbox >= 0 && bind(inbox, (const void *)&address, sizeof(address)) == 0);
    CHECK(setenv("NOTIFY_SOCKET", address.sun_path, 1) == 0);
    /* Four times in it we tell that we live. */
    CHECK(setenv("WATCHDOG_USEC", "400000", 1) == 0);
}

/* The next message; false: none in this time. */
static bool receive(char *text, size_t size, int ms)
{
    struct pollfd wait = {.fd = inbox, .events = POLLIN};
    ssize_t got;

    if (poll(&wait, 1, ms) != 1)
        return false;
    got = recv(inbox, text, size - 1, 0);
    CHECK(got >= 0);
    text[got] = '\0';
    return true;
}

/* Until a message has this in it. */
static void expect(const char *what)
{
    char text[512] = "";

    while (!strstr(text, what))
        if (!receive(text, sizeof(text), 60000))
            rig_fail(__FILE__, __LINE__, "nobody said '%s'", what);
}

/* How many of the next messages say that we live. */
static unsigned count_alive(unsigned messages)
{
    unsigned count = 0;
    char text[512];

    for (unsigned i = 0; i < messages; i++) {
        CHECK(receive(text, sizeof(text), 60000));
        count += strstr(text, "WATCHDOG=1") != NULL;
    }
    return count;
}

/* The thread that is not the first one. */
static pid_t source_thread(const struct rig *rig)
{
    struct dirent *entry;
    char path[64];
    pid_t tid = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)rig->daemon);
    dir = opendir(path);
    CHECK(dir);
    while ((entry = readdir(dir))) {
        pid_t found = (pid_t)strtol(entry->d_name, NULL, 10);

        if (found > 0 && found != rig->daemon)
            tid = found;
    }
    closedir(dir);
    CHECK(tid > 0);
    return tid;
}

/* One thread stands still: the other one goes on with its work, but does not say that we live. */
static void test_stopped_thread(const struct rig *rig)
{
    pid_t tid = source_thread(rig);
    char text[512];
    int status;

    CHECK(ptrace(PTRACE_SEIZE, tid, 0, 0) == 0 && ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0);
    CHECK(waitpid(tid, &status, __WALL) == tid);
    /* What was under way. */
    while (receive(text, sizeof(text), 0))
        continue;
    count_alive(4);
    CHECK_EQUAL(count_alive(6), 0);
    CHECK(ptrace(PTRACE_DETACH, tid, 0, 0) == 0);
    expect("WATCHDOG=1");
}

/* Somebody has locked the journal: the daemon lives, and says what it waits for. */
static void test_blocked_journal(struct rig *rig)
{
    sqlite3 *db;

    CHECK_EQUAL(sqlite3_open(rig->journal, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 60000);
    CHECK_EQUAL(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    rig_mark_end();
    expect("STATUS=the journal cannot be written");
    expect("WATCHDOG=1");
    CHECK_EQUAL(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
    expect("STATUS=event ");
}

static void test(struct rig *rig)
{
    open_inbox(rig);
    rig_start(rig, NULL);
    expect("READY=1");
    expect("WATCHDOG=1");
    test_stopped_thread(rig);
    test_blocked_journal(rig);
    CHECK(kill(rig->daemon, SIGHUP) == 0);
    expect("RELOADING=1");
    expect("READY=1");
    CHECK(kill(rig->daemon, SIGTERM) == 0);
    expect("STOPPING=1");
    rig_stop(rig, SIGTERM);
}

int main(void)
{
    return rig_main(test);
}
