/* SPDX-License-Identifier: MIT */
/*
 * test_core_threads [EVENTS]: everything at once: posters, consumers that each are played by several
 * threads, cancelled, closed and attached again, acknowledged by others, statistics, budgets and
 * memory that comes and goes. In the end the numbers must add up.
 */
#include "tests/core/check.h"
#include "tests/core/random.h"
#include "tests/core/session.h"

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POSTERS    2u
#define CONSUMERS  3u
#define FETCHERS   2u
#define LOST_MAX   3u
#define REPLY_SIZE (sizeof(struct rollcall_reply) + 65536u)
#define SMALL_SIZE (sizeof(struct rollcall_reply) + 512u)
#define LIMIT_S    500u

static const char *const names[CONSUMERS] = {"first", "second", ""};

struct poster {
    uint32_t number;
    uint32_t events;  /* how many to post */
    uint64_t numbers; /* that it used up */
    uint64_t lost;    /* of these, without an event from the beginning */
    uint64_t refused;
};

static struct {
    struct host host;
    struct engine *engine;
    struct history history;
    struct poster posters[POSTERS];
    struct consumer_sessions consumers[CONSUMERS];
    /* How often each consumer's requests ended so. */
    _Atomic uint64_t cancelled;
    _Atomic uint64_t closed;
    _Atomic bool posted; /* no more events come */
    uint64_t seed;
} test;

/* Each thread has its own. */
static struct random new_random(void)
{
    static _Atomic uint64_t threads;
    struct random random = {.state = test.seed + 0x10001 * atomic_fetch_add(&threads, 1)};

    return random;
}

/* ---- looking ---- */

static struct rollcall_engine_stats look(void)
{
    struct {
        struct rollcall_engine_stats engine;
        struct rollcall_consumer_stats consumers[ROLLCALL_CONSUMERS_MAX];
    } all;
    struct rollcall_request request;
    size_t bytes;

    make_plain(&request);
    CHECK_EQUAL(engine_stats(test.engine, &request, sizeof(request), &all, sizeof(all), &bytes),
                ENGINE_OK);
    for (uint32_t i = 0; i < all.engine.given; i++) {
        CHECK(all.consumers[i].acked_seq <= all.consumers[i].delivered_seq);
        CHECK(all.consumers[i].delivered_seq <= all.engine.last_seq);
        CHECK(all.consumers[i].pended <= 3 * FETCHERS);
    }
    return all.engine;
}

/* ---- posting ---- */

static void post_one(struct poster *poster, struct random *random, uint32_t number)
{
    static const enum rollcall_type types[] = {ROLLCALL_CREATE, ROLLCALL_EXIT, ROLLCALL_EXIT,
                                               ROLLCALL_EXEC};
    uint64_t event[(sizeof(struct rollcall_event) + 4096) / sizeof(uint64_t)];
    uint32_t pid = number * POSTERS + poster->number;
    enum rollcall_type type = types[random_below(random, 4)];
    enum engine_status status;

    make_event(event, type, pid, event_size(pid));
    status = type == ROLLCALL_CREATE ? engine_post_create(test.engine, (void *)event)
                                     : engine_post(test.engine, (void *)event);
    poster->refused += status == ENGINE_REFUSED;
    poster->numbers += status != ENGINE_REFUSED;
    poster->lost += status == ENGINE_LOST;
    CHECK(status == ENGINE_OK || status == ENGINE_LOST ||
          (status == ENGINE_REFUSED && type == ROLLCALL_CREATE));
}

static void *run_poster(void *context)
{
    struct poster *poster = context;
    static const uint32_t paces[] = {2, 10, 2000};
    struct random random = new_random();
    uint32_t pace = paces[0];

    for (uint32_t number = 1; number <= poster->events; number++) {
        uint32_t lost = random_one_in(&random, 64) ? 1 + random_below(&random, LOST_MAX) : 0;

        post_one(poster, &random, number);
        engine_post_lost(test.engine, ROLLCALL_LOST_SKIPPED, lost, number);
        poster->numbers += lost;
        poster->lost += lost;
        if (random_one_in(&random, 1000))
            pace = paces[random_below(&random, 3)];
        /* Consumers that have nothing left have requests that wait; who is late gets gaps. */
        if (random_one_in(&random, pace))
            sessions_await(&test.consumers[random_below(&random, CONSUMERS)], look().last_seq,
                           NULL);
    }
    return NULL;
}

/* ---- fetching ---- */

/* What a thread of a consumer has: a request for few bytes and one for many, and one that waits. */
struct fetcher {
    struct consumer_sessions *sessions;
    struct request *small;
    struct request *large;
    struct request *wait;
    pthread_t thread;
};

static struct fetcher fetchers[CONSUMERS][FETCHERS];

static void count_end(const struct request *request)
{
    /* Who cancels says ENGINE_ABSENT. */
    if (request->status == ENGINE_ABSENT)
        test.cancelled++;
    else
        test.closed++;
    CHECK(request->status == ENGINE_ABSENT || request->status == ENGINE_CLOSED);
}

static void fetch(const struct fetcher *f, struct session *session, struct request *request)
{
    struct rollcall_fetch bytes;
    enum engine_status status;

    make_fetch(&bytes, session_given(f->sessions, session));
    status = engine_fetch(test.engine, session->id, &bytes, sizeof(bytes));
    CHECK(status == ENGINE_OK || status == ENGINE_CLOSED);
    if (status == ENGINE_CLOSED || !request_queue(&test.host, &session->queue, request))
        return;
    engine_match(test.engine, session->id);
    request_await(&test.host, request);
    if (request->status == ENGINE_OK)
        session_give(f->sessions, session, request->data, request->bytes);
    else if (request->status == ENGINE_TOO_SMALL)
        CHECK(request == f->small);
    else
        count_end(request);
}

static void drain(const struct fetcher *f, struct session *session)
{
    struct rollcall_fetch bytes;
    enum engine_status status;
    size_t size;

    make_fetch(&bytes, session_given(f->sessions, session));
    status = engine_drain(test.engine, session->id, &bytes, sizeof(bytes), f->large->data,
                          f->large->size, &size);
    if (status == ENGINE_OK)
        session_give(f->sessions, session, f->large->data, size);
    else
        CHECK(status == ENGINE_NOTHING || status == ENGINE_CLOSED);
}

static void wait_and_drain(const struct fetcher *f, struct session *session)
{
    struct rollcall_request bytes;
    enum engine_status status;

    make_plain(&bytes);
    status = engine_wait(test.engine, session->id, &bytes, sizeof(bytes));
    CHECK(status == ENGINE_OK || status == ENGINE_CLOSED);
    if (status == ENGINE_CLOSED || !request_queue(&test.host, &session->queue, f->wait))
        return;
    engine_match(test.engine, session->id);
    request_await(&test.host, f->wait);
    if (f->wait->status == ENGINE_OK)
        drain(f, session);
    else
        count_end(f->wait);
}

static void *run_fetcher(void *context)
{
    struct fetcher *f = context;
    struct random random = new_random();
    struct session *session;

    while ((session = sessions_current(f->sessions))) {
        switch (random_below(&random, 4)) {
        case 0:
            fetch(f, session, f->small);
            break;
        case 1:
            wait_and_drain(f, session);
            break;
        default:
            fetch(f, session, f->large);
            break;
        }
    }
    return NULL;
}

/* ---- those who disturb them ---- */

static void *run_canceller(void *context)
{
    struct consumer_sessions *sessions = context;
    struct fetcher *of = fetchers[sessions - test.consumers];
    struct random random = new_random();
    struct session *session;

    while (!test.posted && (session = sessions_current(sessions))) {
        const struct fetcher *f = &of[random_below(&random, FETCHERS)];
        struct request *const some[] = {f->small, f->large, f->wait};
        struct request *request = some[random_below(&random, 3)];

        if (request_cancel(&test.host, &session->queue, request))
            request_complete(&test.host, request, ENGINE_ABSENT, 0);
        for (uint32_t i = random_below(&random, 8); i > 0; i--)
            sched_yield();
    }
    return NULL;
}

static void *run_closer(void *context)
{
    struct consumer_sessions *sessions = context;
    struct random random = new_random();

    while (!test.posted) {
        unsigned flags = random_one_in(&random, 3) ? ROLLCALL_ATTACH_DENY : 0;
        uint32_t events = random_one_in(&random, 3) ? 0 : random_below(&random, 300);
        struct session *session = sessions_current(sessions);

        sessions_await(sessions, session_given(sessions, session) + events, &test.posted);
        if (test.posted)
            break;
        sessions_close(sessions);
        if (sessions->name[0])
            flags |= ROLLCALL_ATTACH_CONTINUE;
        else
            flags |= random_one_in(&random, 2) ? ROLLCALL_ATTACH_OLDEST : 0;
        sessions_attach(sessions, flags);
    }
    return NULL;
}

static void *run_acknowledger(void *context)
{
    struct consumer_sessions *sessions = context;
    struct random random = new_random();
    struct session *session;

    while (!test.posted && (session = sessions_current(sessions))) {
        bool wrong = random_one_in(&random, 8);
        struct rollcall_acknowledge request;
        enum engine_status status;

        make_acknowledge(&request, wrong ? UINT64_MAX : session_given(sessions, session));
        status = engine_acknowledge(test.engine, session->id, &request, sizeof(request));
        CHECK(status == ENGINE_CLOSED || status == (wrong ? ENGINE_INVALID : ENGINE_OK));
        sched_yield();
    }
    return NULL;
}

/* ---- those who look and configure ---- */

static void *run_statistics(void *context)
{
    uint64_t last_seq = 0;

    (void)context;
    while (!test.posted) {
        struct rollcall_engine_stats stats = look();

        CHECK(stats.last_seq >= last_seq);
        CHECK(stats.oldest_seq <= stats.last_seq);
        last_seq = stats.last_seq;
        sched_yield();
    }
    return NULL;
}

static void configure(uint64_t budget, uint32_t record_max)
{
    struct rollcall_configure request;

    make_configure(&request, budget, record_max);
    CHECK_EQUAL(engine_configure(test.engine, &request, sizeof(request)), ENGINE_OK);
}

/* A durable consumer that comes, is left alone, and is removed. */
static void come_and_go(void)
{
    struct rollcall_attached attached;
    struct rollcall_attach request;
    struct rollcall_detach_request detach;
    struct owner owner;
    uint64_t id;

    owner_init(&owner);
    make_attach(&request, "third", 0);
    CHECK_EQUAL(engine_attach(test.engine, &request, sizeof(request), &owner, 1, &attached, &id),
                ENGINE_OK);
    make_detach(&detach, "third");
    CHECK_EQUAL(engine_detach(test.engine, &detach, sizeof(detach)), ENGINE_BUSY);
    engine_close(test.engine, id);
    CHECK_EQUAL(engine_detach(test.engine, &detach, sizeof(detach)), ENGINE_OK);
}

static void *run_configurer(void *context)
{
    struct random random = new_random();

    (void)context;
    while (!test.posted) {
        bool fail = random_one_in(&random, 4);

        configure(ROLLCALL_BUDGET_MIN + random_below(&random, 1u << 19),
                  ROLLCALL_RECORD_MIN + random_below(&random, 2048));
        come_and_go();
        test.host.engine.lock(&test.host);
        test.host.fail_all = fail;
        test.host.engine.unlock(&test.host);
        for (uint32_t i = random_below(&random, 64); i > 0; i--)
            sched_yield();
    }
    return NULL;
}

/* ---- the test ---- */

#define DISTURBERS (CONSUMERS * 3u + 2u)

static pthread_t posters[POSTERS];
static pthread_t disturbers[DISTURBERS];

static pthread_t start(void *(*run)(void *), void *context)
{
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, run, context) == 0);
    return thread;
}

static void begin(uint32_t events)
{
    host_init(&test.host);
    test.host.threads = true;
    test.engine = host_create_engine(&test.host, ROLLCALL_BUDGET_MIN, false);
    test.history.max_seq = (1ull + LOST_MAX) * POSTERS * events;
    test.history.pids = calloc(test.history.max_seq + 1, sizeof(*test.history.pids));
    CHECK(test.history.pids);
    for (unsigned i = 0; i < CONSUMERS; i++) {
        sessions_init(&test.consumers[i], names[i], &test.host, test.engine, &test.history);
        sessions_attach(&test.consumers[i], 0);
        for (unsigned k = 0; k < FETCHERS; k++) {
            fetchers[i][k].sessions = &test.consumers[i];
            fetchers[i][k].small = request_new(SMALL_SIZE, false);
            fetchers[i][k].large = request_new(REPLY_SIZE, false);
            fetchers[i][k].wait = request_new(sizeof(struct rollcall_ready), true);
        }
    }
}

static void start_all(uint32_t events)
{
    unsigned count = 0;

    for (unsigned i = 0; i < POSTERS; i++) {
        test.posters[i] = (struct poster){.number = i, .events = events};
        posters[i] = start(run_poster, &test.posters[i]);
    }
    for (unsigned i = 0; i < CONSUMERS; i++) {
        for (unsigned k = 0; k < FETCHERS; k++)
            fetchers[i][k].thread = start(run_fetcher, &fetchers[i][k]);
        disturbers[count++] = start(run_canceller, &test.consumers[i]);
        disturbers[count++] = start(run_closer, &test.consumers[i]);
        disturbers[count++] = start(run_acknowledger, &test.consumers[i]);
    }
    disturbers[count++] = start(run_statistics, NULL);
    disturbers[count++] = start(run_configurer, NULL);
    CHECK(count == DISTURBERS);
}

/* Each poster's events have come in its order, and none twice. */
static void check_history(void)
{
    uint32_t last[POSTERS] = {0};

    for (uint64_t seq = 1; seq <= test.history.max_seq; seq++) {
        uint32_t pid = test.history.pids[seq];

        if (pid == 0)
            continue;
        CHECK(pid > last[pid % POSTERS]);
        last[pid % POSTERS] = pid;
    }
}

static void check_numbers(void)
{
    struct rollcall_engine_stats stats = look();
    uint64_t numbers = 0;
    uint64_t lost = 0;
    uint64_t refused = 0;

    for (unsigned i = 0; i < POSTERS; i++) {
        numbers += test.posters[i].numbers;
        lost += test.posters[i].lost;
        refused += test.posters[i].refused;
    }
    CHECK_EQUAL(stats.last_seq, numbers);
    CHECK_EQUAL(stats.denied, refused);
    CHECK(stats.lost[ROLLCALL_LOST_FAILED] + stats.lost[ROLLCALL_LOST_SKIPPED] <= lost);
    CHECK(stats.lost[ROLLCALL_LOST_FAILED] + stats.lost[ROLLCALL_LOST_SKIPPED] +
              stats.lost[ROLLCALL_LOST_FULL] >=
          lost);
    for (unsigned i = 0; i < CONSUMERS; i++)
        CHECK_EQUAL(test.consumers[i].current->given_seq, numbers);
    printf("%" PRIu64 " numbers, %" PRIu64 " lost at once, %" PRIu64 " given up, %" PRIu64
           " refused, %" PRIu64 " requests cancelled, %" PRIu64 " closed\n",
           numbers, lost, stats.lost[ROLLCALL_LOST_FULL], refused, test.cancelled, test.closed);
}

/* Once all is posted, and nobody disturbs, everybody gets everything. */
static void finish(void)
{
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(posters[i], NULL);
    test.posted = true;
    for (unsigned i = 0; i < CONSUMERS; i++)
        sessions_wake(&test.consumers[i]);
    for (unsigned i = 0; i < DISTURBERS; i++)
        pthread_join(disturbers[i], NULL);
    for (unsigned i = 0; i < CONSUMERS; i++)
        sessions_await(&test.consumers[i], look().last_seq, NULL);
    for (unsigned i = 0; i < CONSUMERS; i++) {
        sessions_finish(&test.consumers[i]);
        sessions_close(&test.consumers[i]);
        for (unsigned k = 0; k < FETCHERS; k++)
            pthread_join(fetchers[i][k].thread, NULL);
    }
}

static void end(void)
{
    check_history();
    check_numbers();
    for (unsigned i = 0; i < CONSUMERS; i++) {
        sessions_destroy(&test.consumers[i]);
        for (unsigned k = 0; k < FETCHERS; k++) {
            request_free(fetchers[i][k].small);
            request_free(fetchers[i][k].large);
            request_free(fetchers[i][k].wait);
        }
    }
    engine_destroy(test.engine);
    host_destroy(&test.host);
    free((void *)(uintptr_t)test.history.pids);
}

int main(int argc, char **argv)
{
    uint32_t events = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 20000;

    test.seed = (uint64_t)time(NULL) * 1000003u ^ (uint64_t)getpid();
    printf("seed %" PRIu64 "\n", test.seed);
    fflush(stdout);
    /* What waits for ever fails. */
    alarm(LIMIT_S);
    begin(events);
    start_all(events);
    finish();
    end();
    return 0;
}
