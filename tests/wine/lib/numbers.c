/* SPDX-License-Identifier: MIT */
#include "tests/wine/lib/numbers.h"

#include <rollcall/rollcall.h>

#include <stdlib.h>
#include <string.h>

void numbers_begin(struct numbers *numbers, uint64_t acked_seq)
{
    numbers->acked_seq = acked_seq;
    numbers->whole_seq = acked_seq;
    numbers->last_seq = acked_seq;
    numbers->lost = 0;
    if (numbers->room > 0)
        memset(numbers->there, 0, numbers->room);
}

void numbers_free(struct numbers *numbers)
{
    free(numbers->there);
    memset(numbers, 0, sizeof(*numbers));
}

static void make_room(struct numbers *numbers, size_t count)
{
    size_t room = numbers->room > 0 ? numbers->room : 256;

    while (room < count)
        room *= 2;
    if (room == numbers->room)
        return;
    numbers->there = realloc(numbers->there, room);
    if (numbers->there == NULL)
        die("no memory");
    memset(numbers->there + numbers->room, 0, room - numbers->room);
    numbers->room = room;
}

static void add(struct numbers *numbers, uint64_t seq)
{
    uint64_t at = seq - numbers->acked_seq - 1;

    make_room(numbers, at + 1);
    CHECK(numbers->there[at] == 0, "%llu is delivered again", (unsigned long long)seq);
    numbers->there[at] = 1;
    if (seq > numbers->last_seq)
        numbers->last_seq = seq;
    while (numbers->whole_seq < numbers->last_seq &&
           numbers->there[numbers->whole_seq - numbers->acked_seq] != 0)
        numbers->whole_seq++;
}

void numbers_add(struct numbers *numbers, const struct answer *answer)
{
    const struct rollcall_reply *reply = &answer->reply;
    uint64_t seq = reply->first_seq;
    uint32_t count = 0;
    size_t at;

    if (seq <= numbers->acked_seq || seq > reply->last_seq + 1 || reply->size > ANSWER_ROOM)
        die("%llu to %llu, %u bytes, after %llu", (unsigned long long)seq,
            (unsigned long long)reply->last_seq, reply->size,
            (unsigned long long)numbers->acked_seq);
    for (at = 0; at < reply->size; count++) {
        const struct rollcall_event *event = (const void *)(answer->records + at);

        if (!rollcall_event_valid(event, reply->size - at) || event->seq != seq)
            die("record %u at %zu is not number %llu", count, at, (unsigned long long)seq);
        if (event->type == ROLLCALL_GAP)
            numbers->lost += event->lost;
        for (; seq <= rollcall_event_last_seq(event); seq++)
            add(numbers, seq);
        at += event->size;
    }
    CHECK(count == reply->count && seq == reply->last_seq + 1, "%u records of %u, up to %llu, %llu",
          count, reply->count, (unsigned long long)seq - 1, (unsigned long long)reply->last_seq);
}

void numbers_check(const struct numbers *numbers, uint64_t last_seq)
{
    CHECK(numbers->whole_seq == numbers->last_seq, "%llu is missing, %llu is there",
          (unsigned long long)numbers->whole_seq + 1, (unsigned long long)numbers->last_seq);
    CHECK(numbers->last_seq == last_seq, "up to %llu, not %llu",
          (unsigned long long)numbers->last_seq, (unsigned long long)last_seq);
    CHECK(numbers->lost == 0, "%llu are lost", (unsigned long long)numbers->lost);
}

void numbers_drain(struct numbers *numbers, HANDLE device)
{
    struct answer answer;
    DWORD error;

    do {
        error = ask_drain(device, numbers->whole_seq, &answer, sizeof(answer));
        if (error != 0)
            die("drain: %lu", error);
        numbers_add(numbers, &answer);
    } while (answer.reply.count > 0);
}
