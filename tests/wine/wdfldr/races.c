/* SPDX-License-Identifier: MIT */
/*
 * Processes that come and go while the driver starts. Threads that raise them from before its
 * entry on; and, around the list of processes that it asks for, those that a driver can get wrong.
 */
#include "tests/wine/wdfldr/kernel.h"

#include <string.h>

#define THREADS_MAX   16u
#define THREAD_PID    400000u /* of the first one of a thread */
#define THREAD_PIDS   100000u
#define BEFORE_MAX    20000u /* what a thread raises before it is told of any */
#define STAYS_BEFORE  50u    /* one in so many of those does not exit, */
#define STAYS_AFTER   2u     /* and of the others */
#define RACES_MAX     64u
#define KIND_PIDS     10000u
#define KINDS         9u
#define BEGIN_MS      30000u /* for what was sent to get to the notify routine */
#define RACE_LIMIT_MS 200u   /* that may wait until the driver has its list */

static uint32_t raising; /* threads */
static bool ended;       /* the driver is going */
static bool listed;      /* it has asked for the list */
static bool raced[KINDS][RACES_MAX];
static uint32_t races_open; /* that were sent and are not over */
static uint32_t races_sent; /* of these, that have not got to the notify routine */

struct image {
    struct control_process process;
    wchar_t path[40];
};

static void image_make(struct image *image, uint32_t pid, uint32_t flags)
{
    static const wchar_t path[] = L"\\Device\\HarddiskVolume1\\race.exe";

    memset(image, 0, sizeof(*image));
    image->process.pid = pid;
    image->process.ppid = 4;
    image->process.creator_pid = 4;
    image->process.creator_tid = 8;
    image->process.flags = flags | CONTROL_NO_COMMAND;
    image->process.image_size = sizeof(path) - sizeof(path[0]);
    memcpy(image->path, path, sizeof(path));
}

static void create(uint32_t pid)
{
    struct control_result result = {0};
    struct image image;

    image_make(&image, pid, 0);
    process_create(&image.process, &result);
}

static void exit_of(uint32_t pid)
{
    struct control_result result = {0};

    process_exit(pid, 3, &result);
}

/* ---- threads ---- */

static void raise_one(uint32_t pid, bool stays)
{
    create(pid);
    if (!stays)
        exit_of(pid);
}

static void wait_notified(void)
{
    enter();
    while (!ended && !process_notified())
        wait_changed(10);
    leave();
}

/* Every other thread waits until it is told of: it begins right then. The others are at it. */
static uint32_t raise_before(uint32_t pid, bool waits)
{
    uint32_t i;

    for (i = 0; !waits && i < BEFORE_MAX && !ended && !process_notified(); i++)
        raise_one(pid + 4 * i, i % STAYS_BEFORE == 0);
    wait_notified();
    return pid + 4 * i;
}

static unsigned long WINAPI raise_all(void *context)
{
    uint32_t number = (uint32_t)(uintptr_t)context;
    uint32_t pid = raise_before(THREAD_PID + THREAD_PIDS * number, number % 2 == 1);
    uint32_t i;

    for (i = 0; i < settings.start_processes && !ended; i++)
        raise_one(pid + 4 * i, i % STAYS_AFTER == 0);
    enter();
    raising--;
    leave();
    WakeAllConditionVariable(&runtime_changed);
    return 0;
}

static void threads_begin(void)
{
    HANDLE thread;
    uint32_t i;

    for (i = 0; i < settings.start_threads && i < THREADS_MAX; i++) {
        enter();
        raising++;
        leave();
        thread = CreateThread(NULL, 0, raise_all, (void *)(uintptr_t)i, 0, NULL);
        if (thread != NULL)
            CloseHandle(thread);
    }
}

/* ---- around the list ---- */

/* On a thread of its own, as it is another process; waited for, so that it is that moment. */
struct race {
    void (*routine)(uint32_t pid);
    uint32_t pid;
};

void races_told(void)
{
    struct thread *thread = thread_here();

    if (!thread->racing)
        return;
    thread->racing = false;
    enter();
    races_sent--;
    leave();
    WakeAllConditionVariable(&runtime_changed);
}

static void run(void *context)
{
    struct race *race = context;

    thread_here()->racing = true;
    race->routine(race->pid);
    races_told();
    memory_free(race);
    enter();
    races_open--;
    leave();
    WakeAllConditionVariable(&runtime_changed);
}

static void send(void (*routine)(uint32_t pid), uint32_t pid)
{
    struct race *race = memory_new(sizeof(*race));

    race->routine = routine;
    race->pid = pid;
    enter();
    races_open++;
    races_sent++;
    leave();
    work_raise(run, race);
}

static void wait_for_them(void)
{
    unsigned long begin = GetTickCount();

    enter();
    while (races_sent > 0 && GetTickCount() - begin < BEGIN_MS)
        wait_changed(10);
    begin = GetTickCount();
    while (races_open > 0 && GetTickCount() - begin < RACE_LIMIT_MS)
        wait_changed(10);
    leave();
}

static void for_each(enum control_race first, void (*routine)(uint32_t pid))
{
    uint32_t i;

    for (i = 0; i < settings.start_races; i++)
        routine((uint32_t)first + 4 * i);
}

/* Whether this one is of that kind, and nothing has happened to it yet. Only the driver's start
 * looks: a notification may ask about any process. */
static bool race_is(enum control_race first, uint32_t pid)
{
    uint32_t kind = ((uint32_t)first - RACE_TOLD_LATER) / KIND_PIDS;
    uint32_t number = (pid - (uint32_t)first) / 4;
    bool now;

    if (pid < (uint32_t)first || number >= settings.start_races || thread_here()->in_notification)
        return false;
    enter();
    now = process_notified() && !raced[kind][number];
    raced[kind][number] |= now;
    leave();
    return now;
}

/* A second ago. */
static void appear(uint32_t pid)
{
    LARGE_INTEGER now;
    struct image image;

    image_make(&image, pid, 0);
    GetSystemTimeAsFileTime(&now);
    image.process.create_time = now.QuadPart - 10000000;
    process_appear(&image.process);
}

static void tell_creation(uint32_t pid)
{
    struct control_result result = {0};
    struct image image;

    image_make(&image, pid, CONTROL_LISTED);
    process_create(&image.process, &result);
}

static void tell_exit(uint32_t pid)
{
    struct control_result result = {0};

    process_tell_exit(pid, 3, &result);
}

static void reuse(uint32_t pid)
{
    exit_of(pid);
    create(pid);
}

static void replace(uint32_t pid)
{
    process_vanish(pid);
    create(pid);
}

static void send_creation(uint32_t pid)
{
    send(tell_creation, pid);
}

static void send_exit(uint32_t pid)
{
    send(tell_exit, pid);
}

void races_list(void)
{
    bool now;

    enter();
    now = settings.start_races > 0 && process_notified() && !listed;
    listed |= now;
    leave();
    if (!now)
        return;
    for_each(RACE_CREATED, send_creation);
    for_each(RACE_EXITS, send_exit);
    wait_for_them();
}

void races_look(uint32_t pid)
{
    if (race_is(RACE_GONE, pid))
        send(exit_of, pid);
    else if (race_is(RACE_REUSED, pid))
        send(reuse, pid);
    else if ((pid & 4) == 0 && race_is(RACE_ENDED, pid))
        send(replace, pid);
    else if ((pid & 4) == 0 && race_is(RACE_EXITS, pid))
        process_vanish(pid);
    else
        return;
    wait_for_them();
}

void races_looked(uint32_t pid)
{
    if ((pid & 4) != 0 && race_is(RACE_EXITS, pid))
        process_vanish(pid);
}

void races_name(uint32_t pid)
{
    if (race_is(RACE_EXITS_NAMED, pid))
        send(exit_of, pid);
    else if (race_is(RACE_TOLD_NAMED, pid))
        send(tell_creation, pid);
    else
        return;
    wait_for_them();
}

/* ---- begin and end ---- */

void races_begin(void)
{
    enum control_race kind;

    listed = false;
    ended = false;
    memset(raced, 0, sizeof(raced));
    if (settings.start_races > RACES_MAX)
        settings.start_races = RACES_MAX;
    for (kind = RACE_TOLD_LATER; kind < RACE_END; kind += KIND_PIDS)
        for_each(kind, appear);
    for_each(RACE_ENDED, tell_exit);
    for_each(RACE_ENDING, process_ending);
    threads_begin();
}

void races_end(void)
{
    enter();
    ended = true;
    while (raising > 0 || races_open > 0)
        wait_changed(100);
    leave();
}

uint32_t races_raising(void)
{
    uint32_t result;

    enter();
    result = raising + races_open;
    leave();
    return result;
}
