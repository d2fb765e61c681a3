/* SPDX-License-Identifier: MIT */
#include "linux/lab/host.h"

#include "linux/lab/message.h"
#include "linux/lab/service.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* All answers of a service that is stopped fit into its socket. */
#define SOCKET_BYTES (4 << 20)

struct slot {
    struct call call;
    uint64_t *buffer;
};

struct host {
    const struct lab_design *design;
    struct lab_driver *driver;
    struct lab_account *account;
    struct slot slots[LAB_REQUESTS_MAX];
    unsigned pended[LAB_REQUESTS_MAX]; /* in the order in which they came */
    unsigned pended_count;
    uint32_t work_us;
    pid_t service;
    int socket;
};

/* ---- the driver's host ---- */

static void no_lock(void *context)
{
    (void)context;
}

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static bool take(void *context, void *owner, struct engine_request *request)
{
    struct host *host = context;
    struct slot *slot;

    (void)owner;
    if (host->pended_count == 0)
        return false;
    slot = &host->slots[host->pended[0]];
    memmove(host->pended, host->pended + 1, --host->pended_count * sizeof(host->pended[0]));
    *request = (struct engine_request){.request = slot,
                                       .buffer = slot->buffer,
                                       .size = lab_design_room(host->design),
                                       .wait = slot->call.code == ROLLCALL_CODE_WAIT};
    return true;
}

/* Who is killed meanwhile has it in hand, as with an answer that it did not come to. */
static void answer(struct host *host, struct slot *slot, size_t bytes)
{
    struct answer head = {.slot = slot->call.slot, .size = (uint32_t)bytes};
    struct iovec parts[] = {{&head, sizeof(head)}, {slot->buffer, bytes}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    if (slot->call.code != ROLLCALL_CODE_WAIT)
        lab_account_hand(host->account, (struct rollcall_reply *)(void *)slot->buffer);
    if (sendmsg(host->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        err(1, "cannot answer the service");
    host->account->answered++;
}

static void complete(void *context, const struct engine_request *request, enum engine_status status,
                     size_t bytes)
{
    if (status != ENGINE_OK)
        errx(1, "a request of the service was refused: %d", (int)status);
    answer(context, request->request, bytes);
}

static uint32_t pended(void *context, void *owner)
{
    const struct host *host = context;

    (void)owner;
    return host->pended_count;
}

/* ---- the service ---- */

void host_start(struct host *host)
{
    struct rollcall_attached attached;
    int ends[2], bytes = SOCKET_BYTES;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        err(1, "socketpair");
    if (setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
        err(1, "SO_SNDBUFFORCE");
    if (lab_driver_attach(host->driver, host, &attached) != ENGINE_OK)
        errx(1, "the service cannot attach");
    host->service = fork();
    if (host->service < 0)
        err(1, "fork");
    if (host->service == 0) {
        /* It ends with the host: nobody else would end it. */
        close(ends[0]);
        service_run(host->design, host->account, host->work_us, ends[1], &attached);
    }
    close(ends[1]);
    host->socket = ends[0];
}

void host_kill(struct host *host)
{
    if (host->service == 0)
        return;
    kill(host->service, SIGKILL);
    while (waitpid(host->service, NULL, 0) < 0 && errno == EINTR)
        ;
    close(host->socket);
    lab_driver_close(host->driver);
    host->service = 0;
    host->socket = -1;
    host->pended_count = 0;
    host->account->arrived = host->account->sent;
    host->account->handled = host->account->answered;
}

pid_t host_service(const struct host *host)
{
    return host->service;
}

int host_fd(const struct host *host)
{
    return host->socket;
}

/* ---- requests ---- */

static void handle(struct host *host, const struct call *call)
{
    struct slot *slot = &host->slots[call->slot];
    bool wait = call->code == ROLLCALL_CODE_WAIT;
    size_t bytes;

    slot->call = *call;
    host->account->arrived++;
    if (call->code == ROLLCALL_CODE_DRAIN) {
        (void)lab_driver_drain(host->driver, slot->buffer, lab_design_room(host->design), &bytes);
        answer(host, slot, bytes);
        return;
    }
    if (lab_driver_check(host->driver, wait, call->acked_seq) != ENGINE_OK)
        errx(1, "a request of the service was refused");
    host->pended[host->pended_count++] = call->slot;
    lab_driver_match(host->driver);
}

void host_serve(struct host *host)
{
    struct call call;
    ssize_t size;

    if (host->socket < 0)
        return;
    while ((size = recv(host->socket, &call, sizeof(call), MSG_DONTWAIT)) == sizeof(call) &&
           call.slot < LAB_REQUESTS_MAX && host->pended_count < LAB_REQUESTS_MAX)
        handle(host, &call);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    errx(1, "the service has ended, or sends nonsense");
}

void host_raise(struct host *host, uint64_t mono_ns)
{
    uint32_t number = lab_account_raise(host->account, mono_ns);
    struct rollcall_event event;

    lab_account_event(number, mono_ns, &event);
    if (!lab_driver_raise(host->driver, &event))
        lab_account_drop(host->account, number);
}

uint32_t host_raised(const struct host *host)
{
    return host->account->raised;
}

bool host_quiet(const struct host *host)
{
    /* In this order: it counts an answer as handled after it has sent what follows from it. Who has
     * just been started has sent nothing, and pends nothing. */
    uint64_t handled = host->account->handled;

    return host->service != 0 && handled == host->account->answered &&
           host->account->sent == host->account->arrived &&
           host->pended_count == host->design->requests;
}

const char *host_close(struct host *host, struct lab_result *result)
{
    struct lab_figures figures;

    lab_driver_figures(host->driver, &figures);
    return lab_account_close(host->account, host->design, &figures, result);
}

struct host *host_new(const struct lab_design *design, uint32_t work_us, uint32_t events)
{
    const struct engine_host engine_host = {.lock = no_lock,
                                            .unlock = no_lock,
                                            .allocate = allocate,
                                            .release = release,
                                            .take = take,
                                            .complete = complete,
                                            .pended = pended};
    struct engine_host ours = engine_host;
    struct host *host = calloc(1, sizeof(*host));

    if (host == NULL)
        err(1, NULL);
    ours.context = host;
    host->design = design;
    host->work_us = work_us;
    host->socket = -1;
    host->account = mmap(NULL, lab_account_bytes(events), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (host->account == MAP_FAILED)
        err(1, NULL);
    lab_account_init(host->account, events);
    for (unsigned i = 0; i < LAB_REQUESTS_MAX; i++)
        if ((host->slots[i].buffer = malloc(lab_design_room(design))) == NULL)
            err(1, NULL);
    if (lab_driver_create(design, &ours, &host->driver) != ENGINE_OK)
        errx(1, "no memory for the driver");
    return host;
}

void host_free(struct host *host)
{
    host_kill(host);
    lab_driver_destroy(host->driver);
    for (unsigned i = 0; i < LAB_REQUESTS_MAX; i++)
        free(host->slots[i].buffer);
    munmap(host->account, lab_account_bytes(host->account->size));
    free(host);
}
