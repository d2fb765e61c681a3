/* SPDX-License-Identifier: MIT */
/* A live engine, and peers that send it whatever they like: each request is refused, or answered with
 * well-formed events in order; no byte outside of a request or a buffer is touched. */
#include "tests/core/check.h"
#include "tests/core/host.h"
#include "tests/fuzz/request_input.h"

#include <rollcall/rollcall.h>

#include <string.h>

#define PENDED   8u
#define ROOM_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

struct peer {
    struct owner queue;
    uint64_t id;
    uint64_t next_seq; /* 0: not attached */
    struct request *requests[PENDED];
};

struct fixture {
    struct input input;
    struct host host;
    struct engine *engine;
    struct peer peers[REQUEST_OWNERS];
    uint32_t pid;
    uint64_t event[(sizeof(struct rollcall_event) + (64u << 10)) / sizeof(uint64_t) + 8];
};

/* ---- the input ---- */

static uint8_t take_byte(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static uint32_t take_word(struct input *input)
{
    uint32_t low = take_byte(input);

    return low | (uint32_t)take_byte(input) << 8;
}

/* A request in memory of its own, so that nobody reads beyond it. */
static void *take_request(struct input *input, size_t *size)
{
    size_t wanted = take_byte(input);
    void *request;

    *size = wanted < input->left ? wanted : input->left;
    request = malloc(*size ? *size : 1);
    CHECK(request);
    memcpy(request, input->at, *size);
    input->at += *size;
    input->left -= *size;
    return request;
}

/* ---- what comes out ---- */

static void check_reply(struct peer *peer, const void *buffer, size_t bytes)
{
    const struct rollcall_reply *reply = buffer;
    const unsigned char *records = (const void *)(reply + 1);
    size_t left;

    CHECK(bytes >= sizeof(*reply) && bytes == sizeof(*reply) + reply->size);
    CHECK(reply->count > 0 && reply->first_seq == peer->next_seq);
    left = reply->size;
    for (uint32_t i = 0; i < reply->count; i++) {
        const struct rollcall_event *event = (const void *)(records + reply->size - left);

        CHECK(rollcall_event_valid(event, left));
        CHECK(event->seq == peer->next_seq);
        CHECK(event->type == ROLLCALL_GAP || is_event(event, event->pid, event->size));
        CHECK(event->type != ROLLCALL_GAP || event->lost > 0);
        peer->next_seq = rollcall_event_last_seq(event) + 1;
        left -= event->size;
    }
    CHECK(left == 0 && reply->last_seq == peer->next_seq - 1);
}

static void check_status(enum engine_status status, size_t bytes, size_t room)
{
    CHECK(status != ENGINE_NO_MEMORY && status != ENGINE_REFUSED && status != ENGINE_LOST);
    CHECK(bytes <= room);
    CHECK(status == ENGINE_OK || status == ENGINE_NOTHING || status == ENGINE_TOO_SMALL ||
          bytes == 0);
}

static void remove_oldest(struct peer *peer)
{
    for (unsigned i = 0; i + 1 < PENDED; i++)
        peer->requests[i] = peer->requests[i + 1];
    peer->requests[PENDED - 1] = NULL;
}

/* Requests that were completed, the oldest first. */
static void collect(struct peer *peer)
{
    while (peer->requests[0] && peer->requests[0]->done) {
        struct request *request = peer->requests[0];

        check_status(request->status, request->bytes, request->size);
        if (!request->wait && request->status == ENGINE_OK)
            check_reply(peer, request->data, request->bytes);
        request_free(request);
        remove_oldest(peer);
    }
}

/* ---- what is done ---- */

static void post(struct fixture *f, bool refusable)
{
    uint32_t type = take_byte(&f->input);
    uint32_t size = take_word(&f->input) & ~7u;

    type = type % 6 + 1 == ROLLCALL_GAP ? ROLLCALL_SYNCED : type % 6 + 1;
    size = sizeof(struct rollcall_event) + (size ? size + 8 : 0);
    make_event(f->event, refusable ? ROLLCALL_CREATE : (enum rollcall_type)type, ++f->pid, size);
    if (refusable)
        engine_post_create(f->engine, (void *)f->event);
    else
        engine_post(f->engine, (void *)f->event);
}

static void post_lost(struct fixture *f)
{
    uint32_t reason = take_byte(&f->input) % ROLLCALL_REASONS;

    engine_post_lost(f->engine, (enum rollcall_reason)reason, take_word(&f->input), 1);
}

static void attach(struct fixture *f, struct peer *peer)
{
    struct rollcall_attached attached;
    size_t size;
    void *request = take_request(&f->input, &size);
    enum engine_status status =
        engine_attach(f->engine, request, size, &peer->queue, 1, &attached, &peer->id);

    check_status(status, 0, 0);
    if (status == ENGINE_OK)
        peer->next_seq = attached.acked_seq + 1;
    free(request);
}

static void close_peer(struct fixture *f, struct peer *peer)
{
    engine_close(f->engine, peer->id);
    peer->next_seq = 0;
    for (unsigned i = 0; i < PENDED && peer->requests[i]; i++) {
        CHECK(request_cancel(&f->host, &peer->queue, peer->requests[i]));
        request_free(peer->requests[i]);
        peer->requests[i] = NULL;
    }
}

static void pend(struct fixture *f, struct peer *peer, bool wait)
{
    uint32_t room = take_word(&f->input) % ROOM_MAX & ~7u;
    size_t size;
    void *request = take_request(&f->input, &size);
    enum engine_status status = wait ? engine_wait(f->engine, peer->id, request, size)
                                     : engine_fetch(f->engine, peer->id, request, size);
    unsigned count = 0;

    free(request);
    check_status(status, 0, 0);
    while (count < PENDED && peer->requests[count])
        count++;
    if (status != ENGINE_OK || count == PENDED)
        return;
    CHECK(peer->next_seq);
    peer->requests[count] = request_new(room, wait);
    CHECK(request_queue(&f->host, &peer->queue, peer->requests[count]));
    CHECK(engine_match(f->engine, peer->id) == ENGINE_OK);
}

static void cancel(struct fixture *f, struct peer *peer)
{
    struct request *request = peer->requests[0];

    if (!request)
        return;
    CHECK(request_cancel(&f->host, &peer->queue, request));
    request_free(request);
    remove_oldest(peer);
}

static void drain(struct fixture *f, struct peer *peer)
{
    uint32_t room = take_word(&f->input) & ~7u;
    size_t size;
    void *request = take_request(&f->input, &size);
    void *buffer = malloc(room ? room : 1);
    enum engine_status status;
    size_t bytes;

    CHECK(buffer);
    status = engine_drain(f->engine, peer->id, request, size, buffer, room, &bytes);
    check_status(status, bytes, room);
    if (status == ENGINE_OK)
        check_reply(peer, buffer, bytes);
    free(buffer);
    free(request);
}

static void look(struct fixture *f)
{
    uint32_t room = take_word(&f->input) % ROOM_MAX & ~7u;
    size_t size;
    void *request = take_request(&f->input, &size);
    void *buffer = malloc(room ? room : 1);
    size_t bytes;

    CHECK(buffer);
    check_status(engine_stats(f->engine, request, size, buffer, room, &bytes), bytes, room);
    free(buffer);
    free(request);
}

static void send(struct fixture *f, const struct peer *peer, enum request_op op)
{
    size_t size;
    void *request = take_request(&f->input, &size);
    enum engine_status status;

    if (op == OP_ACKNOWLEDGE)
        status = engine_acknowledge(f->engine, peer->id, request, size);
    else if (op == OP_CONFIGURE)
        status = engine_configure(f->engine, request, size);
    else
        status = engine_detach(f->engine, request, size);
    check_status(status, 0, 0);
    free(request);
}

static void step(struct fixture *f)
{
    uint8_t byte = take_byte(&f->input);
    struct peer *peer = &f->peers[byte >> 4 & (REQUEST_OWNERS - 1)];
    enum request_op op = (enum request_op)(byte & 15);

    switch (op) {
    case OP_POST:
    case OP_CREATE:
        post(f, op == OP_CREATE);
        break;
    case OP_LOST:
        post_lost(f);
        break;
    case OP_ATTACH:
        attach(f, peer);
        break;
    case OP_CLOSE:
        close_peer(f, peer);
        break;
    case OP_FETCH:
    case OP_WAIT:
        pend(f, peer, op == OP_WAIT);
        break;
    case OP_DRAIN:
        drain(f, peer);
        break;
    case OP_STATS:
        look(f);
        break;
    case OP_CANCEL:
        cancel(f, peer);
        break;
    case OP_MEMORY:
        f->host.fail_all = !f->host.fail_all;
        break;
    default:
        send(f, peer, op);
        break;
    }
    for (unsigned i = 0; i < REQUEST_OWNERS; i++)
        collect(&f->peers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    f.input = (struct input){.at = data, .left = size};
    host_init(&f.host);
    f.engine = host_create_engine(&f.host, ROLLCALL_BUDGET_MIN, take_byte(&f.input) & 1);
    for (unsigned i = 0; i < REQUEST_OWNERS; i++)
        owner_init(&f.peers[i].queue);
    while (f.input.left > 0)
        step(&f);
    for (unsigned i = 0; i < REQUEST_OWNERS; i++)
        close_peer(&f, &f.peers[i]);
    engine_destroy(f.engine);
    host_destroy(&f.host);
    return 0;
}
