/* SPDX-License-Identifier: MIT */
#include "linux/lab/service.h"

#include "lab/service.h"
#include "linux/clock.h"
#include "linux/lab/message.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct process {
    struct lab_account *account;
    uint32_t work_us;
    int socket;
    size_t room;
    struct answer *answers[LAB_REQUESTS_MAX]; /* the last one of each slot */
    struct answer *spare;
};

static bool port_send(void *context, unsigned slot, uint32_t code, uint64_t acked_seq)
{
    struct process *p = context;
    const struct call call = {.slot = slot, .code = code, .acked_seq = acked_seq};

    p->account->sent++;
    p->account->calls++;
    return send(p->socket, &call, sizeof(call), MSG_NOSIGNAL) == sizeof(call);
}

static bool port_work(void *context, const struct rollcall_event *event)
{
    const struct process *p = context;
    struct timespec time = {.tv_sec = p->work_us / 1000000,
                            .tv_nsec = p->work_us % 1000000 * 1000L};

    lab_account_reach(p->account, event, clock_boot_ns());
    while (p->work_us > 0 && nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
    lab_account_done(p->account, event);
    return true;
}

static struct answer *answer_new(size_t room)
{
    struct answer *answer = malloc(sizeof(*answer) + room);

    if (answer == NULL)
        err(1, NULL);
    return answer;
}

/* The next answer, in memory that stays until the slot's next one. NULL: the host is gone. */
static const struct answer *receive(struct process *p)
{
    struct answer *answer = p->spare;
    ssize_t size = recv(p->socket, answer, sizeof(*answer) + p->room, 0);

    p->account->calls++;
    if (size < (ssize_t)sizeof(*answer) || answer->slot >= LAB_REQUESTS_MAX)
        return NULL;
    p->spare = p->answers[answer->slot];
    p->answers[answer->slot] = answer;
    return answer;
}

_Noreturn void service_run(const struct lab_design *design, struct lab_account *account,
                           uint32_t work_us, int socket, const struct rollcall_attached *attached)
{
    struct process p = {
        .account = account, .work_us = work_us, .socket = socket, .room = lab_design_room(design)};
    const struct lab_port port = {.context = &p, .send = port_send, .work = port_work};
    struct lab_service service;
    const struct answer *answer;

    prctl(PR_SET_TIMERSLACK, 1);
    p.spare = answer_new(p.room);
    for (unsigned i = 0; i < LAB_REQUESTS_MAX; i++)
        p.answers[i] = answer_new(p.room);
    if (lab_service_start(&service, design, &port, attached))
        while ((answer = receive(&p)) != NULL &&
               lab_service_answer(&service, answer->slot, answer + 1))
            p.account->handled++;
    _exit(0);
}
