/* SPDX-License-Identifier: MIT */
#include "cli/printer.h"

#include "events/json.h"
#include "program/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool printer_needs_existing(const struct printer *printer)
{
    return printer->existing || printer->tree || filter_needs_existing(printer->filter);
}

int printer_open(struct printer *printer, int fd)
{
    int err = output_open(&printer->output, fd);

    if (err < 0)
        return err;
    printer->lines.output = &printer->output;
    if (!printer->processes.followed_pid)
        printer->processes.followed_pid = filter_ancestor(printer->filter);
    printer->waits = printer->tree || filter_needs_existing(printer->filter);
    printer->tracks = printer->waits || printer->followed;
    return 0;
}

void printer_close(struct printer *printer)
{
    output_close(&printer->output);
    processes_clear(&printer->processes);
    filter_free(printer->filter);
    free(printer->waiting);
}

void printer_hide_self(struct printer *printer)
{
    printer->hides_self = system_self(&printer->self_pid, &printer->self_ns);
}

static bool is_self(const struct printer *printer, const struct rollcall_event *event)
{
    return printer->hides_self && processes_is(event, printer->self_pid, printer->self_ns);
}

static bool is_shown(const struct printer *printer, const struct rollcall_event *event,
                     const struct process *process)
{
    bool is_snapshot = event->type == ROLLCALL_EXISTS || event->type == ROLLCALL_SYNCED;

    if ((is_snapshot && !printer->existing) || is_self(printer, event))
        return false;
    if (printer->followed && event->type != ROLLCALL_GAP && !(process && process->followed))
        return false;
    return filter_passes(printer->filter, event, process);
}

static int show(struct printer *printer, const struct rollcall_event *event,
                const struct process *process, const struct rollcall_batch *batch)
{
    unsigned depth = 0;

    printer->shown++;
    if (printer->json)
        return json_event(printer->output.text, event, batch->epoch, batch->wall_offset_ns);
    if (printer->tree && process)
        depth = processes_depth(&printer->processes, process);
    lines_event(&printer->lines, event, batch->wall_offset_ns, depth);
    return 0;
}

static int handle(struct printer *printer, const struct rollcall_event *event,
                  const struct rollcall_batch *batch)
{
    const struct process *process =
        printer->tracks ? processes_update(&printer->processes, event) : NULL;
    int err = 0;

    if (event->type == ROLLCALL_GAP)
        printer->lost += event->lost;
    if (is_shown(printer, event, process))
        err = show(printer, event, process, batch);
    if (printer->tracks && event->type == ROLLCALL_EXIT)
        processes_forget(&printer->processes, event);
    if (err == 0 && printer->limit && printer->shown >= printer->limit)
        return 1;
    return err;
}

/* ---- until all that was there before is known ---- */

static int keep(struct printer *printer, const struct rollcall_event *event)
{
    if (printer->waiting_size + event->size > printer->waiting_room) {
        size_t room = 2 * printer->waiting_room + event->size;
        char *waiting = realloc(printer->waiting, room);

        if (!waiting)
            return -ENOMEM;
        printer->waiting = waiting;
        printer->waiting_room = room;
    }
    memcpy(printer->waiting + printer->waiting_size, event, event->size);
    printer->waiting_size += event->size;
    if (event->type == ROLLCALL_EXISTS)
        processes_update(&printer->processes, event);
    return 0;
}

static int handle_kept(struct printer *printer, const struct rollcall_batch *batch)
{
    int err = 0;

    processes_follow_existing(&printer->processes);
    for (size_t at = 0; err == 0 && at < printer->waiting_size;) {
        const struct rollcall_event *event = (const void *)(printer->waiting + at);

        err = handle(printer, event, batch);
        at += event->size;
    }
    free(printer->waiting);
    printer->waiting = NULL;
    printer->waiting_size = printer->waiting_room = 0;
    printer->waits = false;
    return err;
}

static int handle_or_keep(struct printer *printer, const struct rollcall_event *event,
                          const struct rollcall_batch *batch)
{
    int err;

    if (!printer->waits)
        return handle(printer, event, batch);
    err = keep(printer, event);
    if (err == 0 && event->type == ROLLCALL_SYNCED)
        err = handle_kept(printer, batch);
    return err;
}

int printer_batch(struct printer *printer, const struct rollcall_batch *batch)
{
    const struct rollcall_event *event = NULL;
    int end = 0;
    int err;

    while (end == 0 && (event = rollcall_batch_next(batch, event)))
        end = handle_or_keep(printer, event, batch);
    err = output_flush(&printer->output);
    return err < 0 ? err : end;
}
