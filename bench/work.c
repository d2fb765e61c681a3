/* SPDX-License-Identifier: MIT */
#include "bench/work.h"

#include "bench/clock.h"
#include "bench/worker.h"

#include <errno.h>
#include <unistd.h>

/* ---- in the workers ---- */

void worker_run(struct work *work, unsigned index)
{
    const struct work_order *order = &work->order;
    struct work_report *report = &work->reports[index];
    uint64_t start = bench_now();
    uint64_t made = index;

    report->pid = getpid();
    while (order->count ? made < order->count : bench_now() - start < order->run_ns) {
        pid_t pid = worker_make_process(order);

        if (pid < 0) {
            report->failed = true;
            break;
        }
        if (work->pids)
            work->pids[made] = pid;
        made += order->workers;
        atomic_fetch_add_explicit(&report->made, 1, memory_order_relaxed);
        report->elapsed_ns = bench_now() - start;
        if (order->pause_ns)
            bench_pause(order->pause_ns);
    }
}

/* ---- interface ---- */

bool work_done(struct work *work)
{
    return workers_ended(work, false);
}

bool work_is_worker(const struct work *work, uint32_t pid)
{
    for (unsigned i = 0; i < work->order.workers; i++)
        if ((uint32_t)work->reports[i].pid == pid)
            return true;
    return false;
}

uint64_t work_made(const struct work *work)
{
    uint64_t made = 0;

    for (unsigned i = 0; i < work->order.workers; i++)
        made += atomic_load_explicit(&work->reports[i].made, memory_order_relaxed);
    return made;
}

double work_rate(const struct work *work)
{
    double rate = 0;

    for (unsigned i = 0; i < work->order.workers; i++) {
        const struct work_report *report = &work->reports[i];

        if (report->elapsed_ns > 0)
            rate += (double)report->made * 1e9 / (double)report->elapsed_ns;
    }
    return rate;
}

int work_wait(struct work *work)
{
    while (!workers_ended(work, true))
        ;
    for (unsigned i = 0; i < work->order.workers; i++)
        if (work->reports[i].failed)
            return -ECHILD;
    return work_made(work) > 0 ? 0 : -ECHILD;
}
