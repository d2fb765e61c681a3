/* SPDX-License-Identifier: MIT */
/*
 * What the engine promises, said in the plainest way: a list of everything that ever got a number,
 * and for each consumer where it stands. No memory is managed here. What the engine may decide
 * itself - whether an event is kept and whole, and when the oldest ones go - the model is told;
 * everything else follows from that, to the last byte of every answer.
 */
#ifndef TESTS_CORE_MODEL_H
#define TESTS_CORE_MODEL_H

#include "core/engine.h"

#define MODEL_NAME 8u
#define MODEL_NONE UINT64_MAX /* no limit: nobody holds the policy `deny` */

/* An event, or numbers that have none: then its size is 0. */
struct item {
    uint64_t first_seq;
    uint64_t last_seq;
    uint64_t mono_ns;
    enum rollcall_type type;
    uint32_t pid;
    uint32_t size; /* as it is kept */
    uint32_t reason;
    uint32_t flags;
};

struct place {
    bool taken;
    bool deny;
    unsigned owner; /* if it has an id */
    uint64_t id;    /* 0: nobody has it */
    uint64_t acked_seq;
    uint64_t next_seq;
    uint64_t told_seq;
    uint64_t lost;
    uint32_t pid;
    char name[MODEL_NAME]; /* empty: ephemeral */
};

struct model {
    struct engine_options options; /* as configured now */
    struct item *items;
    size_t count;
    size_t room;
    unsigned open; /* how many of the last items are ranges with no event behind them */
    uint64_t last_seq;
    uint64_t released_seq;           /* acknowledged by all who must have it */
    uint64_t gone_seq;               /* not kept any more, for that reason or for the budget */
    uint64_t kept_bytes;             /* of the records of all others */
    uint64_t lost[ROLLCALL_REASONS]; /* as the statistics count */
    uint64_t denied;
    uint64_t texts_cut;
    uint64_t given_up; /* events, for the budget */
    uint64_t living;
    struct place places[ROLLCALL_CONSUMERS_MAX];
};

void model_init(struct model *model, const struct engine_options *options);
void model_destroy(struct model *model);

uint32_t model_record_max(const struct model *model);

/* What must not be lost for those who hold the policy `deny` begins behind it; or MODEL_NONE. */
uint64_t model_deny_limit(const struct model *model);

/* Whether a process begins or ends: how many live afterwards. */
uint64_t model_living_after(const struct model *model, enum rollcall_type type);

/* ---- what happens ---- */

/* The event of make_event(): `kept` bytes of `size`. */
void model_keep(struct model *model, enum rollcall_type type, uint32_t pid, uint32_t size,
                uint32_t kept);

void model_lose(struct model *model, enum rollcall_reason reason, uint64_t count, uint64_t mono_ns);

/* The oldest number that is kept is the one behind `gone_seq`. What went before all who must have
 * it acknowledged it is lost. */
void model_give_up(struct model *model, uint64_t gone_seq);

/* ---- consumers: the status that is expected; the model is changed if that is ENGINE_OK ---- */

/* NULL: this owner has none. */
struct place *model_of_owner(struct model *model, unsigned owner);
struct place *model_named(struct model *model, const char *name);

enum engine_status model_attach(struct model *model, unsigned owner, const char *name,
                                unsigned flags, uint32_t pid, struct rollcall_attached *attached);
void model_close(struct model *model, unsigned owner);
enum engine_status model_detach(struct model *model, const char *name);
enum engine_status model_acknowledge(struct model *model, struct place *place, uint64_t seq);

/* What is written into a buffer of `room` bytes; `buffer` has sizeof(struct rollcall_reply) and
 * ROLLCALL_REPLY_MAX bytes. */
enum engine_status model_fill(struct model *model, struct place *place, size_t room, void *buffer,
                              size_t *bytes);
enum engine_status model_ready(const struct model *model, const struct place *place, size_t room,
                               void *buffer, size_t *bytes);

#endif
