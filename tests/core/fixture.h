/* SPDX-License-Identifier: MIT */
/* An engine for each test of its promises, its requests in short, and what its answers must be. */
#ifndef TESTS_CORE_FIXTURE_H
#define TESTS_CORE_FIXTURE_H

#include "tests/core/host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE   ((uint32_t)sizeof(struct rollcall_event))
#define HEAD   sizeof(struct rollcall_reply)
#define BUDGET (1u << 20)

#define TEST(name)       cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_SMALL(name) cmocka_unit_test_setup_teardown(name, setup_small, teardown)
#define TEST_DENY(name)  cmocka_unit_test_setup_teardown(name, setup_deny, teardown)

struct fixture {
    struct host host;
    struct engine *engine;
    uint32_t posted; /* pid of the last event */
    uint64_t event[ROLLCALL_RECORD_MAX / sizeof(uint64_t)];
    uint64_t buffer[(HEAD + ROLLCALL_REPLY_MAX + 4096) / sizeof(uint64_t)];
    size_t bytes; /* of the answer that is in the buffer */
};

/* A consumer, and what it was told when it attached. */
struct peer {
    struct owner owner;
    uint64_t id;
    struct rollcall_attached attached;
};

/* *state is the fixture: with BUDGET, with the smallest budget there is, and that with the policy. */
int setup(void **state);
int setup_small(void **state);
int setup_deny(void **state);
int teardown(void **state);

/* ---- requests and events ---- */

/* Its pid is one more than that of the one before. */
enum engine_status post_sized(struct fixture *f, enum rollcall_type type, uint32_t size);

/* So many execs without strings. */
void post(struct fixture *f, unsigned count);
enum engine_status create(struct fixture *f);

enum engine_status attach(struct fixture *f, struct peer *peer, const char *name, unsigned flags);

/* The same, and it must succeed. */
void attached(struct fixture *f, struct peer *peer, const char *name, unsigned flags);
enum engine_status acknowledge(struct fixture *f, const struct peer *peer, uint64_t seq);

/* The answer is in the fixture's buffer, of which it may use `room`. */
enum engine_status drain_into(struct fixture *f, const struct peer *peer, uint64_t acked,
                              size_t room);
enum engine_status drain(struct fixture *f, const struct peer *peer);
enum engine_status detach(struct fixture *f, const char *name);
void configure(struct fixture *f, uint64_t budget, uint32_t record_max);
struct rollcall_engine_stats stats(struct fixture *f);
struct rollcall_consumer_stats consumer_stats(struct fixture *f, unsigned index);

/* Requests that are pended. */
void fetch(struct fixture *f, struct peer *peer, struct request *request, uint64_t acked);
void await(struct fixture *f, struct peer *peer, struct request *request);

/* ---- what an answer must be ---- */

void expect_head(const void *buffer, size_t bytes, uint64_t first, uint64_t last, uint32_t count);
const struct rollcall_event *record(const void *buffer, unsigned index);

/* Events of `first` .. `last`, whose pids are their numbers, without strings. */
void expect_events(const void *buffer, size_t bytes, uint64_t first, uint64_t last);
void expect_drained(struct fixture *f, const struct peer *peer, uint64_t first, uint64_t last);
void expect_gap(const struct rollcall_event *gap, uint64_t seq, uint64_t lost,
                enum rollcall_reason reason);

#endif
