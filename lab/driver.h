/* SPDX-License-Identifier: MIT */
/*
 * The driver's side of a design: what the process callback does with an event, and how requests are
 * answered. Its host is a host of the engine's (core/engine.h), whose queue of pended requests it
 * uses; the calls are the engine's too, so that one host serves all designs, and the design is all
 * that differs.
 *
 * Threads: lab_driver_raise(), lab_driver_attach() and lab_driver_close() are called by one thread at
 * a time; all else as in the engine.
 */
#ifndef LAB_DRIVER_H
#define LAB_DRIVER_H

#include "core/engine.h"
#include "lab/design.h"

struct lab_driver;

/* What becomes of events, as the driver sees it. */
struct lab_figures {
    uint64_t raised;
    uint64_t dropped;    /* there was no place for them */
    uint64_t waiting;    /* they have a place, and were never handed out */
    uint64_t bytes_most; /* for events that waited or were not acknowledged, at any time */
};

/* How a kind of driver does it. */
struct lab_driver_kind {
    void (*destroy)(struct lab_driver *driver);
    bool (*raise)(struct lab_driver *driver, const struct rollcall_event *event);
    enum engine_status (*attach)(struct lab_driver *driver, void *owner,
                                 struct rollcall_attached *attached);
    void (*close)(struct lab_driver *driver);
    enum engine_status (*check)(struct lab_driver *driver, bool wait, uint64_t acked_seq);
    void (*match)(struct lab_driver *driver);
    enum engine_status (*drain)(struct lab_driver *driver, void *buffer, size_t room,
                                size_t *bytes);
    void (*figures)(struct lab_driver *driver, struct lab_figures *figures);
};

struct lab_driver {
    const struct lab_driver_kind *kind;
    const struct lab_design *design;
};

/* The design and the host must outlive it. ENGINE_OK or ENGINE_NO_MEMORY. */
enum engine_status lab_driver_create(const struct lab_design *design,
                                     const struct engine_host *host, struct lab_driver **out);

/* Nobody has it open any more. */
static inline void lab_driver_destroy(struct lab_driver *driver)
{
    driver->kind->destroy(driver);
}

/* The callback: a process was created. false: there is no place for the event. */
static inline bool lab_driver_raise(struct lab_driver *driver, const struct rollcall_event *event)
{
    return driver->kind->raise(driver, event);
}

/* The service opens the driver. There is one at a time. */
static inline enum engine_status lab_driver_attach(struct lab_driver *driver, void *owner,
                                                   struct rollcall_attached *attached)
{
    return driver->kind->attach(driver, owner, attached);
}

/* The service is gone; its host then empties the queue of its requests. */
static inline void lab_driver_close(struct lab_driver *driver)
{
    driver->kind->close(driver);
}

/* A request that is to be pended, and acknowledges: after ENGINE_OK the host queues it, then calls
 * lab_driver_match(). wait: it is X, completed without events. */
static inline enum engine_status lab_driver_check(struct lab_driver *driver, bool wait,
                                                  uint64_t acked_seq)
{
    return driver->kind->check(driver, wait, acked_seq);
}

static inline void lab_driver_match(struct lab_driver *driver)
{
    driver->kind->match(driver);
}

/* Y: answered at once. ENGINE_OK, or ENGINE_NOTHING and an answer without events. */
static inline enum engine_status lab_driver_drain(struct lab_driver *driver, void *buffer,
                                                  size_t room, size_t *bytes)
{
    return driver->kind->drain(driver, buffer, room, bytes);
}

static inline void lab_driver_figures(struct lab_driver *driver, struct lab_figures *figures)
{
    driver->kind->figures(driver, figures);
}

#endif
