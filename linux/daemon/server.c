/* SPDX-License-Identifier: MIT */
/*
 * One thread for all clients. It waits for packets, for clients that the source's thread has made
 * ready, for places that were stored, for signals, and for what else it was given to look after. No client gets more than a few packets, or one
 * answer from the archive, in a turn; and from one that does not read its answers nothing is read.
 */
#include "linux/daemon/server.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "linux/daemon/requests.h"
#include "program/complain.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKETS_MAX 16 /* of one client in a turn */
#define EVENTS_MAX  64
#define STUCK_NS    60000000000u /* how long a client may leave its answers */
#define LOOK_MS     1000         /* at those that do */
#define SEND_BUFFER (160 << 10)  /* bytes; the kernel doubles it: the largest answer fits */

/* ---- clients that come and go ---- */

static void link_client(struct server *server, struct client *client)
{
    client->next_client = server->service.clients;
    client->previous_client = NULL;
    if (server->service.clients)
        server->service.clients->previous_client = client;
    server->service.clients = client;
    server->count++;
}

static void unlink_client(struct server *server, struct client *client)
{
    if (client->previous_client)
        client->previous_client->next_client = client->next_client;
    else
        server->service.clients = client->next_client;
    if (client->next_client)
        client->next_client->previous_client = client->previous_client;
    server->count--;
}

/* An event of this turn may still name it: it is given back afterwards. */
static void close_client(struct server *server, struct client *client)
{
    if (client->mode == CLIENT_CLOSED)
        return;
    unlink_client(server, client);
    client->next_client = server->closed;
    server->closed = client;
    epoll_ctl(server->epoll, EPOLL_CTL_DEL, client->fd, NULL);
    client_close(client);
}

static void release_closed(struct server *server)
{
    while (server->closed) {
        struct client *client = server->closed;

        server->closed = client->next_client;
        client_release(client);
    }
}

static unsigned count_of_user(const struct server *server, uint32_t uid)
{
    unsigned count = 0;

    for (const struct client *c = server->service.clients; c; c = c->next_client)
        count += c->peer.uid == uid;
    return count;
}

/* Why not, as an errno value; 0: it may. */
static int refused(const struct server *server, const struct peer *peer)
{
    if (peer->rights == 0)
        return EACCES;
    if (server->count >= SERVER_CLIENTS_MAX)
        return EUSERS;
    if (peer->uid == 0)
        return 0;
    if (server->count >= SERVER_CLIENTS_MAX - SERVER_ROOT_ONLY ||
        count_of_user(server, peer->uid) >= SERVER_USER_MAX)
        return EUSERS;
    return 0;
}

static void refuse(struct server *server, int fd, const struct peer *peer, int error)
{
    const struct rollcall_answer answer = {.error = (uint32_t)error};

    if (error == EACCES)
        log_limited(&server->refusals, LOG_NOTICE,
                    "process %u of user %u may not connect: no rule allows it", peer->pid,
                    peer->uid);
    else
        log_limited(&server->refusals, LOG_WARNING, "process %u of user %u cannot connect: %s",
                    peer->pid, peer->uid,
                    error == EUSERS ? "there are too many connections" : strerror(error));
    send(fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

static void add_client(struct server *server, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    int send_buffer = SEND_BUFFER;
    struct client *client;
    struct peer peer = {0};
    int err = -access_peer(&server->access, fd, &peer);

    if (err == 0)
        err = refused(server, &peer);
    if (err) {
        refuse(server, fd, &peer, err);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
    client = client_new(&server->service, fd, &peer);
    if (!client) {
        refuse(server, fd, &peer, ENOMEM);
        return;
    }
    event.data.ptr = client;
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        client_close(client);
        return;
    }
    /* It is in the list as long as it is open, and gone when the turn ends in which it is closed. */
    host_lock(server->service.host);
    client->queue.references++;
    host_unlock(server->service.host);
    link_client(server, client);
}

static void accept_clients(struct server *server)
{
    for (int i = 0; i < PACKETS_MAX; i++) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
            return;
        add_client(server, fd);
    }
}

/* ---- clients that are there ---- */

static bool has_unsent(const struct client *client, bool *broken)
{
    struct host *host = client->service->host;
    bool unsent;

    host_lock(host);
    unsent = client->unsent;
    *broken = client->broken;
    host_unlock(host);
    return unsent;
}

/* What it waits for next: room for its answers before more requests. */
static void rearm(struct server *server, struct client *client)
{
    struct epoll_event event = {.data.ptr = client};
    bool broken;
    bool stuck;

    if (client->mode == CLIENT_CLOSED)
        return;
    stuck = has_unsent(client, &broken);
    if (broken) {
        close_client(server, client);
        return;
    }
    if (stuck == (client->stuck_since_ns != 0))
        return;
    client->stuck_since_ns = stuck ? clock_mono_ns() : 0;
    event.events = stuck ? EPOLLOUT : EPOLLIN;
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

/* false: nothing more for now. */
static bool read_packet(struct server *server, struct client *client)
{
    unsigned char packet[REQUESTS_PACKET_MAX];
    ssize_t size = recv(client->fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size <= 0) {
        close_client(server, client);
        return false;
    }
    requests_handle(client, packet, (size_t)size);
    return true;
}

static void serve_socket(struct server *server, struct client *client, unsigned events)
{
    if (client->mode == CLIENT_CLOSED)
        return;
    if (events & EPOLLOUT)
        client_serve(client);
    for (int i = 0; i < PACKETS_MAX && events & (EPOLLIN | EPOLLHUP | EPOLLERR); i++) {
        if (client->stuck_since_ns || !read_packet(server, client))
            break;
        rearm(server, client);
        if (client->mode == CLIENT_CLOSED)
            return;
    }
    /* Nobody is left who would read what is unsent. */
    if (client->stuck_since_ns && events & (EPOLLHUP | EPOLLERR))
        close_client(server, client);
    rearm(server, client);
}

static void serve_ready(struct server *server)
{
    struct host *host = server->service.host;
    struct client *client = host_take_ready(host);

    while (client) {
        struct client *next = host_next_ready(host, client);

        if (client->mode != CLIENT_CLOSED) {
            client_serve(client);
            rearm(server, client);
        }
        client_release(client);
        client = next;
    }
}

/* Also wakes this thread: places or events were stored. */
static void serve_waiting(struct server *server)
{
    struct client *next;

    for (struct client *client = server->service.clients; client; client = next) {
        next = client->next_client;
        if (client->waits_version || client->waits_seq)
            requests_stored(client);
        else if (client->awaits)
            client_stored(client);
        else
            continue;
        rearm(server, client);
    }
}

/* Returns whether there are any that do not read. */
static bool close_stuck(struct server *server)
{
    uint64_t now = clock_mono_ns();
    bool stuck = false;
    struct client *next;

    for (struct client *client = server->service.clients; client; client = next) {
        next = client->next_client;
        if (client->stuck_since_ns == 0)
            continue;
        if (now - client->stuck_since_ns > STUCK_NS)
            close_client(server, client);
        else
            stuck = true;
    }
    return stuck;
}

unsigned server_set_access(struct server *server, const struct access *access)
{
    struct client *next;
    unsigned count = 0;

    server->access = *access;
    for (struct client *client = server->service.clients; client; client = next) {
        struct peer now;

        next = client->next_client;
        if (access_peer(access, client->fd, &now) == 0 && !(client->peer.rights & ~now.rights))
            continue;
        close_client(server, client);
        count++;
    }
    return count;
}

/* ---- what else is looked after ---- */

static int watch(const struct server *server, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0
               ? rollcall_fail(-errno, "cannot wait for clients: %s", strerror(errno))
               : 0;
}

int server_watch(struct server *server, int fd, void (*ready)(void *context), void *context)
{
    for (unsigned i = 0; i < SERVER_WATCHES_MAX; i++) {
        struct server_watch *spare = &server->watches[i];

        if (spare->ready)
            continue;
        *spare = (struct server_watch){.fd = fd, .ready = ready, .context = context};
        return watch(server, fd, spare);
    }
    return rollcall_fail(-ENOSPC, "cannot wait for more");
}

void server_unwatch(struct server *server, int fd)
{
    for (unsigned i = 0; i < SERVER_WATCHES_MAX; i++) {
        struct server_watch *other = &server->watches[i];

        if (!other->ready || other->fd != fd)
            continue;
        epoll_ctl(server->epoll, EPOLL_CTL_DEL, fd, NULL);
        *other = (struct server_watch){.fd = -1};
    }
}

/* false: it is none of them. */
static bool serve_watch(struct server *server, const void *what)
{
    for (unsigned i = 0; i < SERVER_WATCHES_MAX; i++) {
        struct server_watch *other = &server->watches[i];

        if (what != other)
            continue;
        /* One that came before in this turn may have ended it. */
        if (other->ready)
            other->ready(other->context);
        return true;
    }
    return false;
}

/* ---- the loop ---- */

/* true: a signal asks to end. */
static bool serve(struct server *server, const struct epoll_event *event)
{
    if (event->data.ptr == &server->signals)
        return true;
    if (event->data.ptr == &server->listener) {
        accept_clients(server);
    } else if (event->data.ptr == server->service.host) {
        serve_ready(server);
        serve_waiting(server);
    } else if (!serve_watch(server, event->data.ptr)) {
        serve_socket(server, event->data.ptr, event->events);
    }
    return false;
}

int server_run(struct server *server)
{
    struct epoll_event events[EVENTS_MAX];
    bool stuck = false;
    bool ends = false;

    while (!ends) {
        int n = epoll_wait(server->epoll, events, EVENTS_MAX, stuck ? LOOK_MS : -1);

        if (n < 0 && errno != EINTR)
            return rollcall_fail(-errno, "cannot wait for clients: %s", strerror(errno));
        for (int i = 0; i < n; i++)
            ends |= serve(server, &events[i]);
        stuck = close_stuck(server);
        release_closed(server);
    }
    return 0;
}

int server_open(struct server *server)
{
    int err;

    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0)
        return rollcall_fail(-errno, "out of file descriptors: %s", strerror(errno));
    err = watch(server, server->listener, &server->listener);
    if (err == 0)
        err = watch(server, server->signals, &server->signals);
    if (err == 0)
        err = watch(server, server->service.host->ready_fd, server->service.host);
    if (err < 0)
        close(server->epoll);
    return err;
}

void server_close(struct server *server)
{
    while (server->service.clients)
        close_client(server, server->service.clients);
    release_closed(server);
    /* What the source's thread made ready meanwhile. */
    serve_ready(server);
    close(server->epoll);
}
