/* SPDX-License-Identifier: MIT */
/*
 * The durable record of process events: one SQLite file. Its tables and views are documented in
 * docs/journal.md, and are for anyone to query.
 *
 * Functions return 0 or a positive number, or a negative errno value and a text for
 * rollcall_error(). A journal is used by one thread at a time; one process writes, any number
 * may read meanwhile.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stdint.h>

struct journal;

struct journal_options {
    bool read_only;        /* the file must exist, and is not changed */
    uint64_t keep_bytes;   /* retention: size of the file, 0: no limit */
    uint64_t keep_seconds; /* retention: age of an event, 0: no limit */
};

/*
 * Opens the journal, and makes it if it is not there and not read_only.
 * -ENOENT (read_only), -EACCES, -EBUSY another process writes it (the text says which, when that
 * is known), -EBADMSG it is damaged, -EPROTO it is no journal, or of a later version of rollcall.
 */
int journal_open(const char *path, const struct journal_options *opts, struct journal **out);

/* NULL is allowed. */
void journal_close(struct journal *journal);

/* The same, and if journal_open() made the file, it is removed again: nothing was stored. */
void journal_discard(struct journal *journal);

/*
 * Stores the events in one transaction; when it returns 0 they are on the disk. Events that are
 * there already, by (epoch, seq), are left as they are. After an error nothing of the batch is
 * stored, and the same call can be made again when the cause is gone.
 * -ENOSPC the disk is full, -EBUSY locked by another program, -EIO, -EBADMSG, -EROFS, -EACCES.
 */
int journal_append(struct journal *journal, const struct rollcall_batch *batch);

/* Other limits for retention than those it was opened with. 0 or a negative errno. */
int journal_keep(struct journal *journal, uint64_t bytes, uint64_t seconds);

/* Removes some of what is older or more than the options say: a bounded piece of work. Returns 1
 * if there is more to do, else 0. What is known of processes that have not ended stays. */
int journal_retain(struct journal *journal);

/* Bytes that the journal takes on the disk. */
int journal_size(struct journal *journal, uint64_t *bytes);

/* The newest event: its epoch and when that was, nanoseconds since 1970; 0: there is none. */
int journal_newest(struct journal *journal, uint64_t *epoch, int64_t *time_ns);

/* The last sequence number stored of this epoch; 0: none. */
int journal_last_seq(struct journal *journal, uint64_t epoch, uint64_t *seq);

/* An event as it was delivered; valid until the next one. */
struct journal_event {
    const struct rollcall_event *event;
    uint64_t epoch;
    int64_t wall_offset_ns;
};

/* Gets each event; a value other than 0 ends the query and is returned. */
typedef int journal_each(const struct journal_event *event, void *context);

/* Which events; all that is set must hold. */
struct journal_filter {
    int64_t since_ns; /* nanoseconds since 1970, inclusive; 0: from the beginning */
    int64_t until_ns; /* exclusive; 0: to the end */
    uint32_t types;   /* bits 1 << enum rollcall_type; 0: all */
    bool has_pid;
    uint32_t pid;
    bool has_ppid;
    uint32_t ppid;
    bool has_uid;
    uint32_t uid;
    const char *comm; /* glob pattern as SQLite's GLOB has it; NULL: any */
    const char *exe;  /* the same, of the process's last executed path */
    uint64_t limit;   /* at most so many; 0: all */
    bool last;        /* with a limit: the last ones, not the first */
};

/* Calls each() for each event that passes, in the order of (epoch, seq). */
int journal_query(struct journal *journal, const struct journal_filter *filter, journal_each *each,
                  void *context);

/* Calls each() for each event of the epoch that has a number from `first_seq` to `last_seq`; gaps are
 * whole, also if they begin before. */
int journal_read(struct journal *journal, uint64_t epoch, uint64_t first_seq, uint64_t last_seq,
                 journal_each *each, void *context);

/* From where on this epoch is complete: nothing from behind *seq has been removed by retention. */
int journal_begin_seq(struct journal *journal, uint64_t epoch, uint64_t *seq);

/* The first epoch after this one of which there are events; 0: none. */
int journal_next_epoch(struct journal *journal, uint64_t epoch, uint64_t *next);

/* Calls each() for every process that is alive at the end of the journal in this epoch, with the number
 * of the event that announced it, in their order; *last_seq: the end, of the same moment. */
int journal_living(struct journal *journal, uint64_t epoch, uint64_t *last_seq,
                   int (*each)(uint64_t seq, void *context), void *context);

/* Calls each() with what was known, after event `last_seq`, of the process that event `seq` has
 * announced: its last exec, else that event; not if that is not there any more. */
int journal_known(struct journal *journal, uint64_t epoch, uint64_t seq, uint64_t last_seq,
                  journal_each *each, void *context);

/* Up to where a durable consumer of the daemon has acknowledged. */
struct journal_place {
    char name[ROLLCALL_NAME_MAX + 1];
    uint32_t uid;   /* whose it is */
    uint64_t epoch; /* 0: it is to be removed */
    uint64_t seq;
};

/* Calls each() for every place; a value other than 0 ends it and is returned. Makes their table if
 * there is none yet. */
int journal_load_places(struct journal *journal,
                        int (*each)(const struct journal_place *place, void *context),
                        void *context);

/* Stores, or removes, them in one transaction; when it returns 0 that is on the disk. */
int journal_store_places(struct journal *journal, const struct journal_place *places, size_t count);

/* Calls each() with what is known of each process that was alive at that time (nanoseconds since
 * 1970; 0: at the end of the journal): its `create` or `exists` record and its last `exec` before
 * that time, if there is one, in the order of seq. */
int journal_alive(struct journal *journal, int64_t at_ns, journal_each *each, void *context);

/* One row of an SQL statement; values are NULL, or text of sizes[i] bytes; types[i] is one of
 * SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB, SQLITE_NULL. */
struct journal_row {
    int columns;
    const char *const *names;
    const char *const *values;
    const size_t *sizes;
    const int *types;
};

/* Runs one statement that only reads. -EINVAL: it is wrong, or would change something. */
int journal_sql(struct journal *journal, const char *sql,
                int (*each)(const struct journal_row *row, void *context), void *context);

#endif
