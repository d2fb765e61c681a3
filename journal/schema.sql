-- SPDX-License-Identifier: MIT
-- The tables and views of a journal; docs/journal.md explains them.

-- One row for each event. The order of appending is the order of the key.
CREATE TABLE events (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    type INTEGER NOT NULL,
    time INTEGER NOT NULL,
    mono_ns INTEGER NOT NULL,
    pid INTEGER,
    start_ns INTEGER,
    flags INTEGER NOT NULL,
    ppid INTEGER,
    parent_start_ns INTEGER,
    creator_pid INTEGER,
    creator_tid INTEGER,
    uid INTEGER,
    gid INTEGER,
    session INTEGER,
    tty INTEGER,
    ns_pid INTEGER,
    pid_ns INTEGER,
    cgroup INTEGER,
    start_key INTEGER,
    status INTEGER,
    reason INTEGER,
    lost INTEGER,
    comm TEXT,
    exe TEXT,
    cwd TEXT,
    args TEXT,
    command TEXT,
    user TEXT,
    details INTEGER,
    PRIMARY KEY (epoch, seq)
) WITHOUT ROWID;

-- All that is known of one process, its last exec and its end without a search.
CREATE INDEX events_of_process ON events (pid, start_ns, type);

CREATE INDEX events_by_time ON events (time);

-- What ANALYZE would find: an epoch has very many events, a process few. Without it SQLite would
-- go through a whole epoch for one process.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES
    ('events', 'events', '10000000 5000000 1'),
    ('events', 'events_of_process', '10000000 4 3 1 1 1'),
    ('events', 'events_by_time', '10000000 1 1 1');
ANALYZE sqlite_schema;

-- What a readable text of an event does not tell: its exact bytes where they are not UTF-8, and
-- whether something of it is missing.
CREATE TABLE text_details (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    field TEXT NOT NULL,
    flags INTEGER,
    full_size INTEGER,
    raw BLOB,
    PRIMARY KEY (epoch, seq, field)
) WITHOUT ROWID;

CREATE TRIGGER details_go_with_event AFTER DELETE ON events WHEN old.details IS NOT NULL
BEGIN
    DELETE FROM text_details WHERE epoch = old.epoch AND seq = old.seq;
END;

-- Up to where retention has removed events; at most one row.
CREATE TABLE pruned (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL,
    events INTEGER NOT NULL
);

CREATE TABLE types (type INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO types VALUES
    (1, 'create'), (2, 'exec'), (3, 'exit'), (4, 'exists'), (5, 'gap'), (6, 'synced');

CREATE TABLE reasons (reason INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO reasons VALUES (0, 'full'), (1, 'failed'), (2, 'skipped'), (3, 'interrupted');

-- Every event with names and readable times.
CREATE VIEW event_log AS
SELECT
    e.epoch,
    e.seq,
    strftime('%Y-%m-%dT%H:%M:%S', e.time / 1000000000, 'unixepoch')
        || printf('.%09dZ', e.time % 1000000000) AS at,
    coalesce((SELECT name FROM types t WHERE t.type = e.type), 'unknown') AS event,
    e.pid,
    e.ppid,
    e.uid,
    e.comm,
    e.exe,
    e.args,
    e.cwd,
    e.command,
    e.user,
    CASE WHEN e.flags & 32 THEN e.status
        WHEN (e.status & 127) = 0 THEN e.status >> 8 & 255 END AS exit_code,
    CASE WHEN NOT e.flags & 32 AND (e.status & 127) <> 0 THEN e.status & 127 END AS signal,
    e.flags & 1 <> 0 AS kernel_thread,
    e.flags & 2 <> 0 AS late,
    e.lost,
    (SELECT name FROM reasons r WHERE r.reason = e.reason) AS reason,
    e.time,
    e.mono_ns,
    e.start_ns,
    e.parent_start_ns,
    e.creator_pid,
    e.creator_tid,
    e.gid,
    e.session,
    e.tty,
    e.ns_pid,
    e.pid_ns,
    e.cgroup,
    e.start_key,
    e.status,
    e.type,
    e.flags
FROM events e;

-- Of the events that have details, one row: the exact bytes where the readable text does not have
-- them, and what is cut or could not be read. `record` is the whole event where columns fail.
CREATE VIEW exact_texts AS
SELECT
    epoch,
    seq,
    max(raw) FILTER (WHERE field = 'comm') AS raw_comm,
    max(raw) FILTER (WHERE field = 'exe') AS raw_exe,
    max(raw) FILTER (WHERE field = 'cwd') AS raw_cwd,
    max(raw) FILTER (WHERE field = 'args') AS raw_args,
    max(raw) FILTER (WHERE field = 'command') AS raw_command,
    max(raw) FILTER (WHERE field = 'user') AS raw_user,
    max(flags & 1) FILTER (WHERE field = 'exe') AS exe_cut,
    max(flags & 1) FILTER (WHERE field = 'cwd') AS cwd_cut,
    max(flags & 1) FILTER (WHERE field = 'args') AS args_cut,
    max(flags >> 1 & 1) FILTER (WHERE field = 'exe') AS exe_unreadable,
    max(flags >> 1 & 1) FILTER (WHERE field = 'cwd') AS cwd_unreadable,
    max(flags >> 1 & 1) FILTER (WHERE field = 'args') AS args_unreadable,
    max(full_size) FILTER (WHERE field = 'exe') AS exe_full_size,
    max(full_size) FILTER (WHERE field = 'cwd') AS cwd_full_size,
    max(full_size) FILTER (WHERE field = 'args') AS args_full_size,
    max(raw) FILTER (WHERE field = 'record') AS record
FROM text_details
GROUP BY epoch, seq;

-- One row for each process, also for one of which only a later event was seen.
CREATE VIEW processes AS
SELECT
    f.epoch,
    f.pid,
    f.start_ns,
    strftime('%Y-%m-%dT%H:%M:%fZ', (f.time - f.mono_ns + f.start_ns) / 1e9, 'unixepoch')
        AS started,
    f.ppid,
    f.parent_start_ns,
    coalesce(x.uid, f.uid) AS uid,
    coalesce(x.comm, f.comm) AS comm,
    coalesce(x.exe, f.exe) AS exe,
    coalesce(x.args, f.args) AS args,
    coalesce(x.cwd, f.cwd) AS cwd,
    coalesce(x.command, f.command) AS command,
    f.user,
    f.type = 4 AS was_there,
    strftime('%Y-%m-%dT%H:%M:%fZ', d.time / 1e9, 'unixepoch') AS ended,
    CASE WHEN d.flags & 32 THEN d.status
        WHEN (d.status & 127) = 0 THEN d.status >> 8 & 255 END AS exit_code,
    CASE WHEN NOT d.flags & 32 AND (d.status & 127) <> 0 THEN d.status & 127 END AS signal,
    d.status,
    (d.mono_ns - d.start_ns) / 1e9 AS seconds,
    f.time - f.mono_ns + f.start_ns AS start_time,
    d.time AS end_time
FROM events f
LEFT JOIN events x ON x.epoch = f.epoch AND x.seq = (
    SELECT max(l.seq) FROM events l
    WHERE l.pid = f.pid AND l.start_ns = f.start_ns AND l.type = 2 AND l.epoch = f.epoch)
LEFT JOIN events d ON d.epoch = f.epoch AND d.seq = (
    SELECT max(l.seq) FROM events l
    WHERE l.pid = f.pid AND l.start_ns = f.start_ns AND l.type = 3 AND l.epoch = f.epoch)
WHERE f.pid IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM events l
        WHERE l.pid = f.pid AND l.start_ns = f.start_ns AND l.epoch = f.epoch
            AND l.seq < f.seq);

-- Where events are missing, why, and how many.
CREATE VIEW gaps AS
SELECT
    e.epoch,
    e.seq AS first_seq,
    e.seq + max(e.lost, 1) - 1 AS last_seq,
    strftime('%Y-%m-%dT%H:%M:%fZ', e.time / 1e9, 'unixepoch') AS before,
    CASE WHEN e.flags & 16 = 0 THEN e.lost END AS lost,
    e.flags & 8 <> 0 AS at_most,
    (SELECT name FROM reasons r WHERE r.reason = e.reason) AS reason,
    e.time
FROM events e
WHERE e.type = 5;

-- What is stored of each epoch.
CREATE VIEW epochs AS
SELECT
    epoch,
    strftime('%Y-%m-%dT%H:%M:%fZ', epoch / 1e6, 'unixepoch') AS began,
    min(seq) AS first_seq,
    max(seq) AS last_seq,
    count(*) AS events,
    sum(type = 5) AS gaps
FROM events
GROUP BY epoch;
