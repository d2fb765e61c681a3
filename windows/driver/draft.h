/* SPDX-License-Identifier: MIT */
/* An event of a process, from what the kernel knows to the record. All at PASSIVE_LEVEL. */
#ifndef WINDOWS_DRIVER_DRAFT_H
#define WINDOWS_DRIVER_DRAFT_H

#include "windows/driver/ntos.h"
#include "windows/driver/record.h"
#include "windows/driver/sid.h"

struct draft {
    struct rollcall_event base;
    struct record_text texts[RECORD_TEXTS];
    size_t count;
    char user[SID_TEXT_MAX];
    struct rollcall_event *record; /* in the pool; NULL: it is `least` */
    uint64_t least[RECORD_LEAST / 8];
};

/* Begins with what the process itself tells: its identity, its name, its user and session. */
void draft_begin(struct draft *draft, enum rollcall_type type, PEPROCESS process);

void draft_parent(struct draft *draft, uint32_t ppid, uint64_t start_ns);

/* The text must stay until draft_record() has been called; NULL: there is none. */
void draft_text(struct draft *draft, enum rollcall_text_field field, unsigned flags,
                const UNICODE_STRING *text);

/* Makes the record, in memory that can be touched at any level. Where there is none for its texts
 * they are cut, to nothing if need be: there is always a record. */
const struct rollcall_event *draft_record(struct draft *draft);

void draft_release(struct draft *draft);

#endif
