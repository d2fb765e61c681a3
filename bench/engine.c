/* SPDX-License-Identifier: MIT */
/*
 * What the engine itself costs, on one thread and with a spin lock that nobody contends for, as the
 * Windows driver has it. Prints, round by round, one line for each thing that is measured: what, how
 * many events (that wait, or in one reply), bytes of an event, nanoseconds and allocations per event.
 */
#include "core/engine.h"

#include "linux/clock.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK       64u      /* events between two looks at the clock */
#define EVENTS_MAX  4000000u /* the budget holds them */
#define BASE        ((uint32_t)sizeof(struct rollcall_event))
#define TEXTS       256u /* bytes of an image name, a command line and a SID */
#define REPLY(n, s) (sizeof(struct rollcall_reply) + (size_t)(n) * (s))

static const char usage[] = "usage: engine [--events N] [--rounds N]\n";

static const struct option options[] = {
    {"events", required_argument, NULL, 'e'}, {"rounds", required_argument, NULL, 'r'}, {0}};

/* ---- the host ---- */

struct request {
    struct request *next;
    void *buffer;
    size_t size;
};

struct bench {
    struct engine_host host;
    struct engine *engine;
    pthread_spinlock_t lock;
    pthread_spinlock_t queue_lock;
    struct request *first; /* the only consumer's queue */
    struct request **last;
    uint64_t consumer;
    uint64_t allocations;
    uint64_t completed;
    uint64_t delivered_seq;
    uint32_t size; /* of an event */
    union {
        struct rollcall_event event;
        unsigned char bytes[BASE + TEXTS];
    } record;
};

static void lock(void *context)
{
    struct bench *b = context;

    pthread_spin_lock(&b->lock);
}

static void unlock(void *context)
{
    struct bench *b = context;

    pthread_spin_unlock(&b->lock);
}

static void *allocate(void *context, size_t size)
{
    struct bench *b = context;

    b->allocations++;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static bool take(void *context, void *owner, struct engine_request *out)
{
    struct bench *b = context;
    struct request *request;

    (void)owner;
    pthread_spin_lock(&b->queue_lock);
    request = b->first;
    if (request) {
        b->first = request->next;
        b->last = b->first ? b->last : &b->first;
    }
    pthread_spin_unlock(&b->queue_lock);
    if (!request)
        return false;
    *out = (struct engine_request){
        .request = request, .buffer = request->buffer, .size = request->size};
    return true;
}

static void complete(void *context, const struct engine_request *request, enum engine_status status,
                     size_t bytes)
{
    struct bench *b = context;
    const struct rollcall_reply *reply = request->buffer;

    if (status != ENGINE_OK || bytes < sizeof(*reply))
        errx(1, "a request failed");
    b->completed++;
    b->delivered_seq = reply->last_seq;
}

static void queue(struct bench *b, struct request *request)
{
    request->next = NULL;
    pthread_spin_lock(&b->queue_lock);
    *b->last = request;
    b->last = &request->next;
    pthread_spin_unlock(&b->queue_lock);
}

/* ---- the consumer ---- */

static void attach(struct bench *b)
{
    struct rollcall_attach request = {.request = {ROLLCALL_PROTOCOL_VERSION, 0, sizeof(request)},
                                      .name_size = 5,
                                      .name = "bench"};
    struct rollcall_attached attached;

    if (engine_attach(b->engine, &request, sizeof(request), b, 1, &attached, &b->consumer) !=
        ENGINE_OK)
        errx(1, "cannot attach");
}

/* Acknowledges what was delivered, and asks for more. */
static void fetch(struct bench *b, struct request *request)
{
    const struct rollcall_fetch bytes = {.request = {ROLLCALL_PROTOCOL_VERSION, 0, sizeof(bytes)},
                                         .acked_seq = b->delivered_seq};

    if (engine_fetch(b->engine, b->consumer, &bytes, sizeof(bytes)) != ENGINE_OK)
        errx(1, "a fetch is refused");
    queue(b, request);
    if (engine_match(b->engine, b->consumer) != ENGINE_OK)
        errx(1, "the consumer is gone");
}

static void post(struct bench *b, uint64_t count)
{
    while (count--)
        if (engine_post(b->engine, &b->record.event) != ENGINE_OK)
            errx(1, "an event is lost");
}

static void begin(struct bench *b, uint32_t size)
{
    const struct engine_options opts = {
        .epoch = 1, .budget = ROLLCALL_BUDGET_MAX, .record_max = ROLLCALL_RECORD_MAX};

    memset(b, 0, sizeof(*b));
    b->host = (struct engine_host){.context = b,
                                   .lock = lock,
                                   .unlock = unlock,
                                   .allocate = allocate,
                                   .release = release,
                                   .take = take,
                                   .complete = complete};
    pthread_spin_init(&b->lock, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_init(&b->queue_lock, PTHREAD_PROCESS_PRIVATE);
    b->last = &b->first;
    b->size = size;
    b->record.event.size = size;
    b->record.event.version = ROLLCALL_EVENT_VERSION;
    b->record.event.type = ROLLCALL_CREATE;
    if (engine_create(&b->host, &opts, &b->engine) != ENGINE_OK)
        errx(1, "no memory");
    attach(b);
}

static void end(struct bench *b)
{
    engine_close(b->engine, b->consumer);
    engine_destroy(b->engine);
}

static struct request *new_requests(unsigned count, size_t size)
{
    struct request *requests = calloc(count, sizeof(*requests));

    if (!requests)
        errx(1, "no memory");
    for (unsigned i = 0; i < count; i++) {
        requests[i].size = size;
        requests[i].buffer = malloc(size);
        if (!requests[i].buffer)
            errx(1, "no memory");
        memset(requests[i].buffer, 0, size);
    }
    return requests;
}

static void free_requests(struct request *requests, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free(requests[i].buffer);
    free(requests);
}

/* ---- what is measured ---- */

/* Time and allocations of what is looked at, of that alone. */
struct meter {
    uint64_t ns;
    uint64_t allocations;
    uint64_t events;
};

static void meter_on(struct meter *meter, const struct bench *b)
{
    meter->allocations -= b->allocations;
    meter->ns -= clock_mono_ns();
}

static void meter_off(struct meter *meter, const struct bench *b, uint64_t events)
{
    meter->ns += clock_mono_ns();
    meter->allocations += b->allocations;
    meter->events += events;
}

static void print(const struct meter *meter, const char *what, uint64_t number, uint32_t size)
{
    double events = (double)meter->events;

    printf("%s\t%" PRIu64 "\t%u\t%.2f\t%.6f\n", what, number, size, (double)meter->ns / events,
           (double)meter->allocations / events);
    fflush(stdout);
}

/* Posts while so many events wait. The consumer takes as many as come, but out of the measured
 * time. */
static void measure_post(uint64_t events, uint64_t waiting, uint32_t size)
{
    struct request *request = new_requests(1, REPLY(CHUNK, size));
    struct meter meter = {0};
    struct bench b;

    begin(&b, size);
    post(&b, waiting);
    while (meter.events < events) {
        meter_on(&meter, &b);
        post(&b, CHUNK);
        meter_off(&meter, &b, CHUNK);
        fetch(&b, request);
    }
    end(&b);
    free_requests(request, 1);
    print(&meter, "post", waiting, size);
}

/* Each event finds a request that waits for it, and completes it. */
static void measure_post_to_waiting(uint64_t events, uint32_t size)
{
    struct request *requests = new_requests(ROLLCALL_PENDED_MAX, REPLY(1, size));
    struct meter meter = {0};
    struct bench b;

    begin(&b, size);
    while (meter.events < events) {
        for (unsigned i = 0; i < ROLLCALL_PENDED_MAX; i++)
            fetch(&b, &requests[i]);
        meter_on(&meter, &b);
        post(&b, ROLLCALL_PENDED_MAX);
        meter_off(&meter, &b, ROLLCALL_PENDED_MAX);
    }
    if (b.completed != meter.events)
        errx(1, "not every event completed a request");
    end(&b);
    free_requests(requests, ROLLCALL_PENDED_MAX);
    print(&meter, "post-to-waiting", 1, size);
}

/* Events that wait are taken, so many by each request. */
static void measure_fetch(uint64_t events, unsigned batch, uint32_t size)
{
    struct request *request = new_requests(1, REPLY(batch, size));
    struct meter meter = {0};
    struct bench b;

    begin(&b, size);
    post(&b, events);
    meter_on(&meter, &b);
    while (b.delivered_seq < events)
        fetch(&b, request);
    meter_off(&meter, &b, events);
    end(&b);
    free_requests(request, 1);
    print(&meter, "fetch", batch, size);
}

static void round_of_all(uint64_t events)
{
    measure_post(events, 1, BASE);
    measure_post(events, 1000, BASE);
    measure_post(events, 1000000, BASE);
    measure_post(events, 1000, BASE + TEXTS);
    measure_post_to_waiting(events, BASE);
    measure_post_to_waiting(events, BASE + TEXTS);
    measure_fetch(events, 1, BASE);
    measure_fetch(events, 16, BASE);
    measure_fetch(events, 256, BASE);
}

int main(int argc, char **argv)
{
    uint64_t events = 1000000;
    unsigned rounds = 5;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        if (option == 'e') {
            events = strtoull(optarg, NULL, 10);
        } else if (option == 'r') {
            rounds = (unsigned)strtoul(optarg, NULL, 10);
        } else {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc || events == 0 || events > EVENTS_MAX) {
        fputs(usage, stderr);
        return 2;
    }
    for (unsigned i = 0; i < rounds; i++)
        round_of_all(events);
    return 0;
}
