/* SPDX-License-Identifier: MIT */
/* make-messages DIRECTORY: makes the inputs from which fuzz_message begins: what clients do that keep
 * to the protocol. */
#include "tests/fuzz/message_input.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM 255 /* times 1,024 bytes: nearly the most */

enum { ADMIN, KEEPER, READER, OWN };

static FILE *file;

static void begin(const char *name)
{
    file = fopen(name, "we");
    if (!file)
        err(1, "%s", name);
}

static void end(void)
{
    if (fclose(file) != 0)
        err(1, "cannot write");
}

static void put_step(enum message_step step, unsigned client)
{
    putc((int)(client << 4 | step), file);
}

static void send(unsigned client, uint32_t code, int room, const void *request, size_t size)
{
    size_t which = 0;

    while (message_codes[which] != code)
        which++;
    put_step(STEP_REQUEST, client);
    putc((int)which, file);
    putc(room, file);
    putc((int)size, file);
    if (fwrite(request, 1, size, file) != size)
        err(1, "cannot write");
}

static void post(int count)
{
    put_step(STEP_POST, 0);
    putc(count, file);
    put_step(STEP_SERVE, 0);
}

static void attach(unsigned client, const char *name, unsigned flags)
{
    struct rollcall_attach request = {.request = {.flags = (uint16_t)flags},
                                      .name_size = (uint32_t)strlen(name)};

    memcpy(request.name, name, request.name_size);
    send(client, ROLLCALL_CODE_ATTACH, ROOM, &request, sizeof(request));
    put_step(STEP_STORE, 0);
    put_step(STEP_SERVE, 0);
}

static void fetch(unsigned client, uint32_t code, uint64_t acked_seq)
{
    const struct rollcall_fetch request = {.acked_seq = acked_seq};

    send(client, code, ROOM, &request, sizeof(request));
    put_step(STEP_SERVE, 0);
}

static void plain(unsigned client, uint32_t code)
{
    const struct rollcall_request request = {.flags = 0};

    send(client, code, ROOM, &request, sizeof(request));
    put_step(STEP_SERVE, 0);
}

static void resume(unsigned client, uint64_t epoch, uint64_t acked_seq)
{
    const struct rollcall_resume request = {.epoch = epoch, .acked_seq = acked_seq};

    send(client, ROLLCALL_CODE_RESUME, ROOM, &request, sizeof(request));
}

static void detach(unsigned client, const char *name)
{
    struct rollcall_detach_request request = {.name_size = (uint32_t)strlen(name)};

    memcpy(request.name, name, request.name_size);
    send(client, ROLLCALL_CODE_DETACH, ROOM, &request, sizeof(request));
    put_step(STEP_STORE, 0);
    put_step(STEP_SERVE, 0);
}

/* ---- inputs ---- */

static void make_live(void)
{
    begin("live");
    attach(READER, "", 0);
    fetch(READER, ROLLCALL_CODE_FETCH, 0);
    plain(READER, ROLLCALL_CODE_WAIT);
    post(3);
    fetch(READER, ROLLCALL_CODE_DRAIN, 102);
    plain(READER, ROLLCALL_CODE_STATS);
    post(5);
    fetch(READER, ROLLCALL_CODE_FETCH, 103);
    end();
}

static void make_durable(void)
{
    begin("durable");
    attach(KEEPER, "kept", ROLLCALL_ATTACH_OLDEST);
    fetch(KEEPER, ROLLCALL_CODE_DRAIN, 0);
    fetch(KEEPER, ROLLCALL_CODE_FETCH, 50);
    post(10);
    put_step(STEP_REOPEN, KEEPER);
    attach(KEEPER, "kept", ROLLCALL_ATTACH_CONTINUE);
    fetch(KEEPER, ROLLCALL_CODE_FETCH, 0);
    detach(ADMIN, "kept");
    put_step(STEP_REOPEN, KEEPER);
    detach(ADMIN, "kept");
    end();
}

static void make_old_epoch(void)
{
    begin("old-epoch");
    resume(READER, OLD_EPOCH, 3);
    fetch(READER, ROLLCALL_CODE_FETCH, 0);
    fetch(READER, ROLLCALL_CODE_FETCH, 15);
    fetch(READER, ROLLCALL_CODE_DRAIN, 15);
    attach(READER, "", 0);
    fetch(READER, ROLLCALL_CODE_FETCH, 0);
    post(2);
    end();
}

static void make_existing(void)
{
    begin("existing");
    attach(READER, "", 0);
    plain(READER, ROLLCALL_CODE_EXISTING);
    fetch(READER, ROLLCALL_CODE_FETCH, 0);
    attach(OWN, "", 0);
    plain(OWN, ROLLCALL_CODE_EXISTING);
    fetch(OWN, ROLLCALL_CODE_FETCH, 0);
    post(100);
    post(10);
    end();
}

static void make_own(void)
{
    begin("own");
    attach(OWN, "", ROLLCALL_ATTACH_OLDEST);
    fetch(OWN, ROLLCALL_CODE_DRAIN, 0);
    fetch(OWN, ROLLCALL_CODE_FETCH, 2);
    post(20);
    fetch(OWN, ROLLCALL_CODE_FETCH, 3);
    plain(OWN, ROLLCALL_CODE_STATS);
    end();
}

int main(int argc, char **argv)
{
    if (argc != 2)
        errx(2, "usage: make-messages DIRECTORY");
    mkdir(argv[1], 0777);
    if (chdir(argv[1]) < 0)
        err(1, "%s", argv[1]);
    make_live();
    make_durable();
    make_old_epoch();
    make_existing();
    make_own();
    return 0;
}
