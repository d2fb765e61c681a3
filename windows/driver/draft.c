/* SPDX-License-Identifier: MIT */
#include "windows/driver/draft.h"

#include "windows/driver/clock.h"
#include "windows/driver/host.h"
#include "windows/driver/optional.h"

#include <string.h>

static void add_text(struct draft *draft, const struct record_text *text)
{
    draft->texts[draft->count++] = *text;
}

static void add_user(struct draft *draft, PACCESS_TOKEN token)
{
    PTOKEN_USER user;
    size_t size;

    if (!NT_SUCCESS(SeQueryInformationToken(token, TokenUser, (PVOID *)&user)))
        return;
    size = sid_text(user->User.Sid, draft->user);
    ExFreePoolWithTag(user, 0);
    if (size > 0)
        add_text(draft, &(struct record_text){
                            .field = ROLLCALL_USER, .bytes = draft->user, .full_size = size});
}

static void add_token(struct draft *draft, PEPROCESS process)
{
    PACCESS_TOKEN token = PsReferencePrimaryToken(process);
    ULONG session;

    if (token == NULL)
        return;
    if (NT_SUCCESS(SeQuerySessionIdToken(token, &session))) {
        draft->base.session = session;
        draft->base.present |= ROLLCALL_HAS_SESSION;
    }
    add_user(draft, token);
    PsDereferencePrimaryToken(token);
}

void draft_begin(struct draft *draft, enum rollcall_type type, PEPROCESS process)
{
    struct rollcall_event *base = &draft->base;
    const UCHAR *name = PsGetProcessImageFileName(process);

    memset(draft, 0, sizeof(*draft));
    base->version = ROLLCALL_EVENT_VERSION;
    base->type = (uint16_t)type;
    base->mono_ns = clock_mono_ns();
    base->pid = HandleToULong(PsGetProcessId(process));
    base->start_ns = clock_from_wall(PsGetProcessCreateTimeQuadPart(process));
    for (size_t i = 0; i < sizeof(base->comm) - 1 && name[i] != 0; i++)
        base->comm[i] = (char)name[i];
    if (optional.start_key != NULL) {
        base->start_key = optional.start_key(process);
        base->present |= ROLLCALL_HAS_START_KEY;
    }
    add_token(draft, process);
}

void draft_parent(struct draft *draft, uint32_t ppid, uint64_t start_ns)
{
    draft->base.ppid = ppid;
    draft->base.parent_start_ns = start_ns;
    draft->base.present |= ROLLCALL_HAS_PARENT;
}

void draft_text(struct draft *draft, enum rollcall_text_field field, unsigned flags,
                const UNICODE_STRING *text)
{
    if (text != NULL && text->Buffer != NULL)
        add_text(draft, &(struct record_text){.field = (uint16_t)field,
                                              .flags = (uint16_t)flags,
                                              .units = (const uint16_t *)text->Buffer,
                                              .count = text->Length / sizeof(uint16_t)});
}

const struct rollcall_event *draft_record(struct draft *draft)
{
    struct rollcall_event *record;
    size_t size = record_fit(draft->texts, draft->count, engine_record_limit(host_engine()));

    record = ExAllocatePoolWithTag(NonPagedPoolNx, size, POOL_TAG);
    draft->record = record;
    if (record == NULL) {
        record = (struct rollcall_event *)draft->least;
        record_fit(draft->texts, draft->count, sizeof(draft->least));
    }
    record_write(&draft->base, draft->texts, draft->count, record);
    return record;
}

void draft_release(struct draft *draft)
{
    if (draft->record != NULL)
        ExFreePoolWithTag(draft->record, POOL_TAG);
}
