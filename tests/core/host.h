/* SPDX-License-Identifier: MIT */
/*
 * A host for the engine, that checks how it is used: memory, takes and completions with or without
 * the lock as the contract says, nothing completed twice, nothing written behind a buffer.
 */
#ifndef TESTS_CORE_HOST_H
#define TESTS_CORE_HOST_H

#include "core/engine.h"

#include <pthread.h>

#define HOST_EPOCH 77u

/* A request of a consumer. What is in it belongs to who sent it while it is done or was never
 * queued. */
struct request {
    struct request *next; /* in the queue */
    bool wait;
    bool queued;
    bool done;
    enum engine_status status;
    size_t bytes;   /* of the answer */
    size_t size;    /* of the buffer */
    uint64_t *data; /* the buffer; a canary follows it */
};

/* Whose queue it is. */
struct owner {
    struct request *first;
    struct request **last;
    uint32_t count;
    bool refuses; /* nothing comes into it any more */
};

struct host {
    struct engine_host engine;
    pthread_mutex_t lock;
    bool locked; /* by whom does not matter: who looks has it, or is alone */
    pthread_mutex_t queues;
    pthread_cond_t completed; /* some request was */
    bool threads;             /* several use it: no look at `locked` from outside */
    uint64_t locks;           /* how often it was taken */
    size_t allocated;         /* bytes */
    size_t most;              /* bytes, at any time, since somebody set it to 0 */
    size_t allocations;       /* how many there were */
    size_t fail_at;           /* this one fails, counted from 1; 0: none */
    size_t fail_from;         /* this one and all later ones fail; 0: none */
    bool fail_all;
    void (*unlocked)(struct host *host); /* called once, when the lock has been given back; what
                                            another thread could do just then */
};

void host_init(struct host *host);

/* Nothing must be allocated any more. */
void host_destroy(struct host *host);

struct engine *host_create_engine(struct host *host, uint64_t budget, bool deny);

void owner_init(struct owner *owner);

struct request *request_new(size_t size, bool wait);
void request_free(struct request *request);

/* Into the queue, as if it were new: false if that refuses. */
bool request_queue(struct host *host, struct owner *owner, struct request *request);

/* Out of it: false if it is not there. Who takes it out may complete it. */
bool request_cancel(struct host *host, struct owner *owner, struct request *request);
void request_complete(struct host *host, struct request *request, enum engine_status status,
                      size_t bytes);

/* Waits until it is done. */
void request_await(struct host *host, struct request *request);

/* The end of a queue: nothing comes into it, and what is in it ends with ENGINE_CLOSED. */
void owner_refuse(struct host *host, struct owner *owner);

/* ---- what a consumer sends ---- */

void make_attach(struct rollcall_attach *request, const char *name, unsigned flags);
void make_detach(struct rollcall_detach_request *request, const char *name);
void make_fetch(struct rollcall_fetch *request, uint64_t acked_seq);
void make_acknowledge(struct rollcall_acknowledge *request, uint64_t acked_seq);
void make_configure(struct rollcall_configure *request, uint64_t budget, uint32_t record_max);
void make_plain(struct rollcall_request *request);

/* When the event with this pid was. */
static inline uint64_t event_mono_ns(uint32_t pid)
{
    return 1000ull * pid;
}

/* The record of an event of `size` bytes, with a string when it is larger than the base. Its pid
 * and its string say which one it is. The memory is the caller's, ROLLCALL_RECORD_MAX bytes. */
void make_event(void *memory, enum rollcall_type type, uint32_t pid, uint32_t size);

/* Whether it is that event, whole. */
bool is_event(const struct rollcall_event *event, uint32_t pid, uint32_t size);

#endif
