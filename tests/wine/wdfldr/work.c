/* SPDX-License-Identifier: MIT */
/*
 * Threads. Requests of one client thread are served by one worker, in their order, as Windows
 * calls a driver in the client's thread; those of different threads, cancellations, notifications
 * and work items run at the same time.
 */
#include "tests/wine/wdfldr/runtime.h"

#define RAISERS 8u

struct work {
    work_routine routine;
    void *context;
    struct work *next;
};

struct workers {
    SRWLOCK lock;
    CONDITION_VARIABLE sent;
    CONDITION_VARIABLE idle;
    struct work *first, *last;
    unsigned threads; /* wanted */
    unsigned started;
    unsigned busy;
};

static struct workers lanes[LANES + 1];
static struct workers raisers;
static struct workers system_workers;

static unsigned long WINAPI serve(void *context)
{
    struct workers *workers = context;
    struct work *work;

    AcquireSRWLockExclusive(&workers->lock);
    for (;;) {
        while ((work = workers->first) == NULL)
            SleepConditionVariableSRW(&workers->sent, &workers->lock, WIN32_INFINITE, 0);
        workers->first = work->next;
        workers->busy++;
        ReleaseSRWLockExclusive(&workers->lock);
        work->routine(work->context);
        memory_free(work);
        AcquireSRWLockExclusive(&workers->lock);
        workers->busy--;
        if (workers->first == NULL && workers->busy == 0)
            WakeAllConditionVariable(&workers->idle);
    }
    return 0;
}

static void start(struct workers *workers, unsigned threads)
{
    HANDLE thread;

    while (workers->started < threads) {
        workers->started++;
        thread = CreateThread(NULL, 0, serve, workers, 0, NULL);
        if (thread != NULL)
            CloseHandle(thread);
    }
}

static void send(struct workers *workers, unsigned threads, work_routine routine, void *context)
{
    struct work *work = memory_new(sizeof(*work));

    work->routine = routine;
    work->context = context;
    AcquireSRWLockExclusive(&workers->lock);
    start(workers, threads);
    if (workers->first == NULL)
        workers->first = work;
    else
        workers->last->next = work;
    workers->last = work;
    ReleaseSRWLockExclusive(&workers->lock);
    WakeConditionVariable(&workers->sent);
}

void work_send(unsigned lane, work_routine routine, void *context)
{
    send(&lanes[lane], 1, routine, context);
}

void work_raise(work_routine routine, void *context)
{
    send(&raisers, RAISERS, routine, context);
}

void work_system(work_routine routine, void *context)
{
    send(&system_workers, 1, routine, context);
}

static void drain(struct workers *workers)
{
    AcquireSRWLockExclusive(&workers->lock);
    while (workers->first != NULL || workers->busy > 0)
        SleepConditionVariableSRW(&workers->idle, &workers->lock, WIN32_INFINITE, 0);
    ReleaseSRWLockExclusive(&workers->lock);
}

void work_drain(void)
{
    unsigned i;

    for (i = 0; i <= LANES; i++)
        drain(&lanes[i]);
    drain(&system_workers);
}
