/* SPDX-License-Identifier: MIT */
/* A connection to the daemon: one packet for each request and each answer. */
#ifndef LINUX_LINK_H
#define LINUX_LINK_H

#include <rollcall/protocol.h>

#include <stddef.h>
#include <stdint.h>

/* NULL or "": the usual one. */
const char *link_path(const char *socket);

/* Connects. A descriptor, or without text -ENOENT or -ECONNREFUSED: no daemon is there; -EACCES, ... */
int link_connect(const char *path);

/* Says why there is no connection. */
int link_connect_failed(const char *path, int error);

/* Sends a request, which begins with its head; that is filled in here. 0 or -errno. */
int link_send(int fd, uint32_t code, uint32_t tag, uint32_t room, void *request, size_t size,
              unsigned flags);

/* Receives an answer of at most `room` bytes behind its head, if one is there. 1, 0: none is there,
 * -ECONNRESET: the daemon has closed the connection, -EBADMSG, -errno. */
int link_receive(int fd, struct rollcall_answer *head, void *answer, size_t room);

/* Sends a request and waits for its answer, for which nothing else may be pended. Bytes of the
 * answer, or -errno, also what the daemon says. */
int link_ask(int fd, uint32_t code, unsigned flags, void *request, size_t size, void *answer,
             size_t room);

#endif
