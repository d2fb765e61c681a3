/* SPDX-License-Identifier: MIT */
/* make-requests DIRECTORY: makes the inputs from which fuzz_request begins: what peers do that keep
 * to the protocol. */
#include "tests/core/host.h"
#include "tests/fuzz/request_input.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM 2048u

static FILE *file;

static void begin(const char *name, bool deny)
{
    file = fopen(name, "we");
    if (!file)
        err(1, "%s", name);
    putc(deny, file);
}

static void end(void)
{
    if (fclose(file) != 0)
        err(1, "cannot write");
}

static void put_op(enum request_op op, unsigned owner)
{
    putc((int)(owner << 4 | op), file);
}

static void put_word(unsigned word)
{
    putc((int)(word & 0xff), file);
    putc((int)(word >> 8), file);
}

static void put_request(const void *request)
{
    struct rollcall_request head;

    memcpy(&head, request, sizeof(head));
    putc((int)head.size, file);
    if (fwrite(request, 1, head.size, file) != head.size)
        err(1, "cannot write");
}

/* ---- steps ---- */

static void post(enum rollcall_type type, unsigned text, unsigned count)
{
    while (count--) {
        put_op(type == ROLLCALL_CREATE ? OP_CREATE : OP_POST, 0);
        putc((int)type - 1, file);
        put_word(text);
    }
}

static void lose(enum rollcall_reason reason, unsigned count)
{
    put_op(OP_LOST, 0);
    putc((int)reason, file);
    put_word(count);
}

static void attach(unsigned owner, const char *name, unsigned flags)
{
    struct rollcall_attach request;

    make_attach(&request, name, flags);
    put_op(OP_ATTACH, owner);
    put_request(&request);
}

static void detach(const char *name)
{
    struct rollcall_detach_request request;

    make_detach(&request, name);
    put_op(OP_DETACH, 0);
    put_request(&request);
}

static void fetch(enum request_op op, unsigned owner, unsigned room, uint64_t acked_seq)
{
    struct rollcall_fetch request;

    make_fetch(&request, acked_seq);
    put_op(op, owner);
    put_word(room);
    put_request(&request);
}

static void plain(enum request_op op, unsigned owner, unsigned room)
{
    struct rollcall_request request;

    make_plain(&request);
    put_op(op, owner);
    put_word(room);
    put_request(&request);
}

static void acknowledge(unsigned owner, uint64_t acked_seq)
{
    struct rollcall_acknowledge request;

    make_acknowledge(&request, acked_seq);
    put_op(OP_ACKNOWLEDGE, owner);
    put_request(&request);
}

static void configure(uint64_t budget, uint32_t record_max)
{
    struct rollcall_configure request;

    make_configure(&request, budget, record_max);
    put_op(OP_CONFIGURE, 0);
    put_request(&request);
}

/* ---- inputs ---- */

static void make_pended(void)
{
    begin("pended", false);
    attach(0, "a", ROLLCALL_ATTACH_OLDEST);
    attach(1, "", 0);
    fetch(OP_FETCH, 0, ROOM, 0);
    fetch(OP_FETCH, 1, ROOM, 0);
    plain(OP_WAIT, 1, 16);
    post(ROLLCALL_CREATE, 0, 2);
    fetch(OP_FETCH, 0, ROOM, 1);
    put_op(OP_CANCEL, 0);
    post(ROLLCALL_EXIT, 40, 2);
    fetch(OP_FETCH, 0, 100, 2);
    put_op(OP_CLOSE, 1);
    acknowledge(0, 2);
    plain(OP_STATS, 0, ROOM);
    end();
}

static void make_successor(void)
{
    begin("successor", false);
    attach(0, "service", 0);
    post(ROLLCALL_EXEC, 8, 8);
    fetch(OP_DRAIN, 0, 600, 0);
    acknowledge(0, 2);
    put_op(OP_CLOSE, 0);
    attach(1, "service", ROLLCALL_ATTACH_CONTINUE);
    fetch(OP_DRAIN, 1, ROOM, 0);
    put_op(OP_CLOSE, 1);
    detach("service");
    end();
}

static void make_losses(void)
{
    begin("losses", false);
    attach(0, "a", 0);
    lose(ROLLCALL_LOST_SKIPPED, 3);
    lose(ROLLCALL_LOST_INTERRUPTED, 1);
    put_op(OP_MEMORY, 0);
    post(ROLLCALL_EXEC, 64, 2);
    put_op(OP_MEMORY, 0);
    fetch(OP_DRAIN, 0, ROOM, 0);
    post(ROLLCALL_EXEC, 64, 2);
    fetch(OP_DRAIN, 0, ROOM, 3);
    end();
}

static void make_spent(void)
{
    begin("spent", false);
    attach(0, "a", 0);
    attach(1, "b", 0);
    post(ROLLCALL_EXEC, 16000, 6);
    fetch(OP_DRAIN, 0, 60000, 0);
    configure(ROLLCALL_BUDGET_MIN * 2ull, ROLLCALL_RECORD_MIN);
    post(ROLLCALL_EXEC, 2000, 3);
    configure(ROLLCALL_BUDGET_MIN, 0);
    fetch(OP_DRAIN, 1, 60000, 0);
    end();
}

/* Buffers that end 8 bytes too early, or at the end of what fits. */
static void make_tight(void)
{
    const unsigned stats = sizeof(struct rollcall_engine_stats);
    const unsigned one = sizeof(struct rollcall_consumer_stats);
    const unsigned head = sizeof(struct rollcall_reply);
    const unsigned event = sizeof(struct rollcall_event);

    begin("tight", false);
    attach(0, "a", 0);
    plain(OP_STATS, 0, stats - 8);
    plain(OP_STATS, 0, stats);
    plain(OP_STATS, 0, stats + one - 8);
    plain(OP_STATS, 0, stats + one);
    plain(OP_WAIT, 0, sizeof(struct rollcall_ready) - 8);
    plain(OP_WAIT, 0, sizeof(struct rollcall_ready));
    post(ROLLCALL_EXEC, 0, 4);
    fetch(OP_DRAIN, 0, head - 8, 0);
    fetch(OP_DRAIN, 0, head + event - 8, 0);
    fetch(OP_DRAIN, 0, head + event, 0);
    fetch(OP_FETCH, 0, head - 8, 1);
    fetch(OP_FETCH, 0, head + event - 8, 1);
    fetch(OP_FETCH, 0, head + 2 * event, 1);
    end();
}

static void make_refused(void)
{
    begin("refused", true);
    attach(0, "guard", ROLLCALL_ATTACH_DENY);
    post(ROLLCALL_CREATE, 12000, 6);
    post(ROLLCALL_EXIT, 0, 4);
    fetch(OP_DRAIN, 0, 60000, 0);
    acknowledge(0, 5);
    post(ROLLCALL_CREATE, 0, 2);
    post(ROLLCALL_EXISTS, 0, 1);
    end();
}

int main(int argc, char **argv)
{
    if (argc != 2)
        errx(2, "usage: make-requests DIRECTORY");
    mkdir(argv[1], 0777);
    if (chdir(argv[1]) < 0)
        err(1, "%s", argv[1]);
    make_pended();
    make_successor();
    make_losses();
    make_spent();
    make_refused();
    make_tight();
    return 0;
}
