-- SPDX-License-Identifier: MIT
-- The processes that are alive at the end of the journal: what version 3 has more than version 2.

-- seq: of the event that announced it. A pid that comes again ends who had it, if the end is missing.
CREATE TABLE living (
    epoch INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (epoch, pid)
) WITHOUT ROWID;

CREATE TRIGGER living_begins AFTER INSERT ON events WHEN new.type IN (1, 4)
BEGIN
    DELETE FROM living WHERE epoch = new.epoch AND pid = new.pid;
    INSERT INTO living VALUES (new.epoch, new.pid, new.start_ns, new.seq);
END;

CREATE TRIGGER living_ends AFTER INSERT ON events WHEN new.type = 3
BEGIN
    DELETE FROM living WHERE epoch = new.epoch AND pid = new.pid AND start_ns = new.start_ns;
END;

INSERT OR REPLACE INTO living
SELECT epoch, pid, start_ns, seq FROM events e
WHERE epoch = (SELECT max(epoch) FROM events) AND type IN (1, 4)
    AND NOT EXISTS (SELECT 1 FROM events d WHERE d.pid = e.pid AND d.start_ns = e.start_ns
        AND d.type = 3 AND d.epoch = e.epoch)
ORDER BY seq;
