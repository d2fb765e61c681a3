/* SPDX-License-Identifier: MIT */
/*
 * The daemon without its threads: an engine, a journal, and clients whose packets are whatever they
 * like, by turns with new events. Each answer is as long as it says, and a consumer that may see
 * all gets well-formed events, one after the other from where it began.
 */
#include "linux/daemon/requests.h"
#include "linux/daemon/stats.h"
#include "tests/core/check.h"
#include "tests/fuzz/message_input.h"
#include "tests/unit/test_journal_events.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define STORED 200u /* events in the journal before the first input */
#define POSTED 100u /* of them in the engine, or given up by it */
#define MEMORY (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* By turns: who may do everything, have names, read all, and see its own. */
static const unsigned rights[MESSAGE_CLIENTS] = {
    RIGHT_OWN | RIGHT_ALL | RIGHT_DURABLE | RIGHT_ADMIN, RIGHT_OWN | RIGHT_ALL | RIGHT_DURABLE,
    RIGHT_OWN | RIGHT_ALL, RIGHT_OWN};

struct end {
    struct client *client;
    int fd;            /* of who asks */
    uint32_t last_tag; /* of what was sent with a code we know */
    uint64_t epoch;
    uint64_t next_seq; /* 0: not known */
};

struct input {
    const uint8_t *at;
    size_t left;
};

struct fixture {
    struct input input;
    struct service service;
    struct host host;
    struct places places;
    struct measures measures;
    struct end ends[MESSAGE_CLIENTS];
};

static struct journal *writer;
static struct journal *reader;
static struct place place;
static struct events events; /* from POSTED + 1 on */

/* ---- the input ---- */

static uint8_t take_byte(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static size_t take_bytes(struct input *input, uint8_t bytes[256])
{
    size_t wanted = take_byte(input);
    size_t size = wanted < input->left ? wanted : input->left;

    memcpy(bytes, input->at, size);
    input->at += size;
    input->left -= size;
    return size;
}

/* ---- once ---- */

static void remove_place(void)
{
    journal_close(reader);
    journal_close(writer);
    place_remove(&place);
}

/* The journal does not change: what is posted has been stored before. */
static void prepare(void)
{
    struct events old;

    place_make(&place);
    writer = open_journal(&place, NULL);
    events_init(&old, OLD_EPOCH, 1);
    add_processes(&old, 100, 5);
    expect_append(writer, &old.batch, 0);
    events_free(&old);
    events_init(&events, EPOCH, 1);
    for (uint32_t i = 0; i < STORED; i++) {
        struct rollcall_event *event =
            add_simple(&events, i % 3 == 2 ? ROLLCALL_EXIT : i % 3 + 1, 200 + i / 3 * (i % 4 != 0));

        event->present |= ROLLCALL_HAS_USER;
        event->uid = i % 5;
    }
    expect_append(writer, &events.batch, 0);
    reader = open_journal(&place, &(struct journal_options){.read_only = true});
    atexit(remove_place);
}

/* ---- clients ---- */

static void open_client(struct fixture *f, unsigned index)
{
    struct end *end = &f->ends[index];
    const struct peer peer = {.pid = 1, .uid = index, .rights = rights[index]};
    int fds[2];

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    *end = (struct end){.client = client_new(&f->service, fds[0], &peer), .fd = fds[1]};
    CHECK(end->client);
    end->client->queue.references++;
    end->client->next_client = f->service.clients;
    f->service.clients = end->client;
}

static void close_client(struct fixture *f, unsigned index)
{
    struct client **at = &f->service.clients;
    struct client *client = f->ends[index].client;

    while (*at != client)
        at = &(*at)->next_client;
    *at = client->next_client;
    client_close(client);
    client_release(client);
    close(f->ends[index].fd);
}

/* ---- answers ---- */

static void check_events(struct end *end, const unsigned char *bytes, size_t size)
{
    struct rollcall_reply reply;
    size_t at = sizeof(reply);

    CHECK(size >= sizeof(reply));
    memcpy(&reply, bytes, sizeof(reply));
    CHECK(size == sizeof(reply) + reply.size);
    for (uint32_t i = 0; i < reply.count; i++) {
        struct rollcall_event *event = calloc(1, size - at);

        CHECK(event && at < size);
        memcpy(event, bytes + at, size - at);
        CHECK(rollcall_event_valid(event, size - at));
        at += event->size;
        if (event->seq > 0 && end->next_seq > 0) {
            CHECK(event->seq == end->next_seq);
            end->next_seq = rollcall_event_last_seq(event) + 1;
        }
        free(event);
    }
    CHECK(at == size);
}

static void check_answer(struct end *end, uint32_t code, const unsigned char *bytes, size_t size)
{
    struct rollcall_attached attached;
    struct rollcall_reply reply;

    switch (code) {
    case ROLLCALL_CODE_ATTACH:
    case ROLLCALL_CODE_RESUME:
        CHECK(size == sizeof(attached));
        memcpy(&attached, bytes, sizeof(attached));
        end->next_seq = attached.acked_seq + 1;
        break;
    case ROLLCALL_CODE_EXISTING:
        memcpy(&reply, bytes, sizeof(reply));
        end->next_seq = reply.first_seq;
        check_events(end, bytes, size);
        break;
    case ROLLCALL_CODE_FETCH:
    case ROLLCALL_CODE_DRAIN:
        check_events(end, bytes, size);
        break;
    default:
        break;
    }
}

/* The tag says which code it is an answer to; 0 is that of packets as they are. */
static void receive_all(struct fixture *f)
{
    static unsigned char
        packet[sizeof(struct rollcall_answer) + sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX];

    for (unsigned i = 0; i < MESSAGE_CLIENTS; i++) {
        struct end *end = &f->ends[i];
        struct rollcall_answer head;
        ssize_t got;

        while ((got = recv(end->fd, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
            CHECK((size_t)got >= sizeof(head));
            memcpy(&head, packet, sizeof(head));
            CHECK((size_t)got == sizeof(head) + head.size && head.reserved == 0);
            if (head.tag > 0 && head.tag <= MESSAGE_CODES && head.error == 0)
                check_answer(end, message_codes[head.tag - 1], packet + sizeof(head), head.size);
        }
    }
}

/* ---- steps ---- */

/* In memory of its own, so that nobody reads beyond it. */
static void handle(const struct end *end, const uint8_t *packet, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    CHECK(copy);
    memcpy(copy, packet, size);
    requests_handle(end->client, copy, size);
    free(copy);
}

static void send_packet(struct fixture *f, struct end *end)
{
    uint8_t packet[256];
    size_t size = take_bytes(&f->input, packet);

    /* A tag of 0: what it asks for is not known here. */
    if (size >= 8)
        memset(packet + 4, 0, 4);
    handle(end, packet, size);
    end->next_seq = 0;
}

static void send_request(struct fixture *f, struct end *end)
{
    uint8_t which = take_byte(&f->input) % MESSAGE_CODES;
    struct rollcall_message message = {.code = message_codes[which], .tag = which + 1u};
    struct rollcall_request head;
    uint8_t packet[sizeof(message) + 256];
    size_t size;

    message.room = take_byte(&f->input) * 1024u;
    size = take_bytes(&f->input, packet + sizeof(message));
    if (size >= sizeof(head)) {
        memcpy(&head, packet + sizeof(message), sizeof(head));
        head.version = ROLLCALL_PROTOCOL_VERSION;
        head.size = (uint32_t)size;
        memcpy(packet + sizeof(message), &head, sizeof(head));
    }
    memcpy(packet, &message, sizeof(message));
    handle(end, packet, sizeof(message) + size);
}

static void post(struct fixture *f, uint8_t count)
{
    /* The writer is one step behind. */
    host_stored(&f->host, f->host.posted_seq);
    for (uint64_t seq = f->host.posted_seq; count > 0 && seq < STORED; count--, seq++) {
        struct rollcall_batch one = part_of(&events, seq, seq + 1);
        size_t posted;

        CHECK(engine_post_numbered(f->host.engine, one.first, one.size, &posted) == ENGINE_OK);
        atomic_store(&f->host.posted_seq, seq + 1);
    }
}

static void serve(struct fixture *f)
{
    struct client *client = host_take_ready(&f->host);

    while (client) {
        struct client *next = host_next_ready(&f->host, client);

        if (client->mode != CLIENT_CLOSED)
            client_serve(client);
        client_release(client);
        client = next;
    }
    for (client = f->service.clients; client; client = client->next_client) {
        if (client->waits_version || client->waits_seq)
            requests_stored(client);
        else if (client->awaits)
            client_stored(client);
    }
}

static void step(struct fixture *f)
{
    uint8_t byte = take_byte(&f->input);
    unsigned index = byte >> 4 & (MESSAGE_CLIENTS - 1);

    switch ((enum message_step)((byte & 15) % STEPS)) {
    case STEP_PACKET:
        send_packet(f, &f->ends[index]);
        break;
    case STEP_REQUEST:
        send_request(f, &f->ends[index]);
        break;
    case STEP_POST:
        post(f, take_byte(&f->input));
        break;
    case STEP_SERVE:
        serve(f);
        break;
    case STEP_STORE:
        f->places.stored_version = f->places.version;
        host_stored(&f->host, f->host.posted_seq);
        break;
    default:
        close_client(f, index);
        open_client(f, index);
        break;
    }
    receive_all(f);
}

/* ---- one input ---- */

static void begin(struct fixture *f)
{
    const struct host_options options = {.epoch = EPOCH, .last_seq = POSTED, .memory = MEMORY};

    CHECK(host_open(&f->host, &options) == 0);
    CHECK(places_load(&f->places, writer, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == 0);
    f->service.host = &f->host;
    f->service.places = &f->places;
    f->service.measures = &f->measures;
    f->service.kernel_name = "none";
    f->service.archive.epoch = EPOCH;
    f->service.archive.journal = reader;
    for (unsigned i = 0; i < MESSAGE_CLIENTS; i++)
        open_client(f, i);
}

static void end(struct fixture *f)
{
    for (unsigned i = 0; i < MESSAGE_CLIENTS; i++)
        close_client(f, i);
    serve(f);
    close(f->places.wake_fd);
    places_destroy(&f->places);
    host_close(&f->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture f;

    if (!writer)
        prepare();
    memset(&f, 0, sizeof(f));
    f.input = (struct input){.at = data, .left = size};
    begin(&f);
    while (f.input.left > 0)
        step(&f);
    end(&f);
    return 0;
}
