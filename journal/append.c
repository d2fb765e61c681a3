/* SPDX-License-Identifier: MIT */
#include "journal/state.h"
#include "lib/error.h"

#include <errno.h>

/* SQL's integers are signed: numbers beyond them would come out of order. */
static bool storable(const struct rollcall_batch *batch, const struct rollcall_event *event)
{
    size_t before = (size_t)((const char *)event - (const char *)batch->first);

    return rollcall_event_valid(event, batch->size - before) && event->seq <= INT64_MAX &&
           batch->epoch <= INT64_MAX;
}

static int append_event(struct journal *journal, const struct rollcall_batch *batch,
                        const struct rollcall_event *event)
{
    int err;
    int rc;

    if (!storable(batch, event))
        return rollcall_fail(-EINVAL, "the batch holds what is not an event; nothing of it was "
                                      "stored");
    err = row_from_event(&journal->row, event, batch->epoch, batch->wall_offset_ns);
    if (err < 0)
        return err;
    rc = row_insert(&journal->row, journal->insert, journal->insert_detail);
    return rc == SQLITE_DONE ? 0 : journal_fail(journal, rc);
}

int journal_append(struct journal *journal, const struct rollcall_batch *batch)
{
    const struct rollcall_event *event = NULL;
    int err;

    if (journal->opts.read_only)
        return rollcall_fail(-EROFS, "the journal '%s' was opened for reading only", journal->path);
    err = journal_begin(journal);
    if (err < 0)
        return err;
    while (err == 0 && (event = rollcall_batch_next(batch, event)))
        err = append_event(journal, batch, event);
    return journal_end(journal, err);
}
