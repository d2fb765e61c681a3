/* SPDX-License-Identifier: MIT */
/*
 * A KMDF runtime for Wine's ntoskrnl: the functions of windows/kmdf/functions.h with the semantics
 * that the framework documents, and strict about what it forbids.
 *
 * One lock guards all of it; no function of the driver, and none of Wine's that takes a lock, is
 * called with it. Objects are named by handles of slot and generation, so that a stale handle is
 * known as one. What has been freed lies in a ring for a while: who holds a pointer that the
 * driver's misuse made stale finds memory that is still there.
 */
#ifndef WDFLDR_RUNTIME_H
#define WDFLDR_RUNTIME_H

#include <ntifs.h>

#define KMDF_RUNTIME
#include "windows/kmdf/wdf.h"

#include "tests/wine/wdfldr/report.h"
#include "tests/wine/wdfldr/settings.h"
#include "tests/wine/wdfldr/win32.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- the lock ---- */

extern SRWLOCK runtime_lock;
/* Woken whenever something ended that somebody may wait for. */
extern CONDITION_VARIABLE runtime_changed;

static inline void enter(void)
{
    AcquireSRWLockExclusive(&runtime_lock);
}

static inline void leave(void)
{
    ReleaseSRWLockExclusive(&runtime_lock);
}

/* Waits until something has changed; at most `ms`. The lock is held before and after. */
static inline void wait_changed(unsigned long ms)
{
    SleepConditionVariableSRW(&runtime_changed, &runtime_lock, ms, 0);
}

/* ---- memory of the runtime itself ---- */

void *memory_new(size_t size); /* zeroed; ends the process if there is none */
void memory_free(void *memory);
/* Frees it, after many others that are retired later. `release`: instead of memory_free(). */
void memory_retire(void *memory, void (*release)(void *memory));

/* ---- what a thread does ---- */

struct thread {
    KIRQL irql;
    unsigned spin_locks;  /* held */
    unsigned critical;    /* depth of critical regions */
    uint32_t process;     /* pid of the process that it runs in; 0: winedevice's own */
    uint32_t id;          /* of the thread that it stands for; 0: itself */
    void *current;        /* that process, once the driver has asked for it */
    bool in_notification; /* runs a notify routine of the driver */
    bool racing;          /* was sent by races.c, and has not got there yet */
    void *queue;          /* whose requests it gives to the driver */
};

struct thread *thread_here(void);

/* Reports and returns false if the thread is above `irql`. */
bool irql_at_most(KIRQL irql, const char *function);

/* Around what a thread does in the name of a process, which stays until it has left it. */
struct stay {
    uint32_t process, id;
    void *current;
};

struct stay process_enter(uint32_t pid, uint32_t tid);
void process_leave(struct stay stay);

/* Around each call of the driver's: it must come back as it went. */
struct call {
    KIRQL irql;
    unsigned spin_locks;
    unsigned critical;
};

struct call call_begin(void);
void call_end(struct call call, const char *routine);

/* ---- objects ---- */

enum kind {
    KIND_DRIVER = 1,
    KIND_DEVICE,
    KIND_FILE,
    KIND_QUEUE,
    KIND_REQUEST,
    KIND_SPIN_LOCK,
    KIND_WAIT_LOCK,
    KIND_TIMER,
    KIND_WORK_ITEM,
    KIND_KEY,
    KIND_GENERAL
};

struct context;

struct object {
    enum kind kind;
    uint64_t handle;
    uint32_t references;   /* the first is its own, until it is deleted */
    bool deleted;          /* no function but those for references and contexts may name it */
    struct object *parent; /* referred to until it is destroyed */
    struct object *child;  /* the first that would be deleted with it */
    struct object *next, **link;
    struct context *contexts;
    void (*dispose)(struct object *object); /* when it is deleted, without the lock */
    void (*destroy)(struct object *object); /* when nobody refers to it any more */
};

/*
 * Makes an object of `size` bytes, with what the attributes say; parent: when they name none.
 * Returns its status.
 */
NTSTATUS object_new(enum kind kind, size_t size, const WDF_OBJECT_ATTRIBUTES *attributes,
                    struct object *parent, const char *function, void *object);

/* The object of a handle, or NULL and a report. */
void *object_of(const void *handle, enum kind kind, const char *function);
/* The same with the lock held. */
void *object_of_locked(const void *handle, enum kind kind, const char *function);

#define HANDLE_OF(object) ((void *)(uintptr_t)(object)->base.handle)

void object_reference(struct object *object);
void object_dereference(struct object *object);

/* Deletes it and what is below it: clean-up callbacks from the leaves, then references. */
void object_delete(struct object *object);

/* How many objects live; reports each as a leak if `leak`. */
unsigned objects_alive(bool leak);

/* true: this allocation is the one that a test wants to fail. */
bool allocation_fails(void);
void allocation_fail_at(uint32_t n);
void allocation_fail_all(bool all);
uint32_t allocation_fail_in(void); /* 0: none is to fail any more */

/* ---- driver and device ---- */

struct driver {
    struct object base;
    DRIVER_OBJECT *object;
    WDF_DRIVER_CONFIG config;
    wchar_t path[512]; /* of its key in the registry */
    bool unloading;
};

struct WDFDEVICE_INIT {
    struct WDFDEVICE_INIT *next; /* that the driver has not given back */
    struct driver *driver;
    wchar_t name[128];
    wchar_t sddl[256];
    ULONG type;
    ULONG characteristics;
    bool exclusive;
    bool has_files;
    WDF_FILEOBJECT_CONFIG files;
    WDF_OBJECT_ATTRIBUTES file_attributes;
    WDF_OBJECT_ATTRIBUTES request_attributes;
};

struct device {
    struct object base;
    struct driver *driver;
    struct WDFDEVICE_INIT init;
    DEVICE_OBJECT *object;
    wchar_t link[128];
    bool finished; /* WdfControlFinishInitializing() */
    struct queue *default_queue;
    struct queue *queues;
    unsigned files; /* open */
};

struct file {
    struct object base;
    struct device *device;
    FILE_OBJECT *object;
    NTSTATUS status;   /* what its create was completed with */
    unsigned requests; /* not completed */
    bool cleaned;      /* its clean-up is over: closed when there are no requests any more */
    uint32_t lane;     /* of who closes it */
};

extern struct driver *the_driver; /* the one that is bound; NULL: none */

/* What the control device is asked about the last device that was made. */
struct device_facts {
    wchar_t sddl[256];
    uint32_t characteristics;
    uint32_t exclusive;
};
extern struct device_facts device_facts;

/* A request of the file has been completed. */
void file_request_done(struct file *file);

/* ---- queues and requests ---- */

enum place {
    PLACE_NEW,      /* on its way to a queue */
    PLACE_QUEUED,   /* in a queue */
    PLACE_DRIVER,   /* the driver owns it */
    PLACE_COMPLETED /* its handle is dead but for references */
};

struct request {
    struct object base;
    IRP *irp;
    struct file *file;
    struct device *device;
    WDF_REQUEST_TYPE type;
    ULONG code;
    size_t input_size, output_size;
    uint32_t pid, tid; /* who sent it */
    uint32_t lane;     /* which worker serves that thread */
    void *process; /* that sent it, once the driver has asked; it stays as long as the request */

    enum place place;
    bool presented; /* the driver has had it */
    bool canceled;
    bool cancel_runs; /* the driver's cancel routine was or is to be called */
    PFN_WDF_REQUEST_CANCEL cancel;
    struct queue *queue; /* that it is in, or was given out of */
    struct request *next, *previous;

    uint8_t *buffer; /* in place of the system buffer, between guards */
    size_t room;
    ULONG_PTR information;

    PIO_COMPLETION_ROUTINE completion; /* Wine's */
    void *completion_context;
};

struct queue {
    struct object base;
    struct device *device;
    WDF_IO_QUEUE_CONFIG config;
    bool accepts, dispatches;
    struct request *first, *last;
    unsigned queued, owned;      /* owned: by the driver, out of this queue */
    PFN_WDF_IO_QUEUE_STATE idle; /* called when the driver owns none any more */
    WDFCONTEXT idle_context;
    PFN_WDF_IO_QUEUE_STATE ready;
    WDFCONTEXT ready_context;
    struct queue *next; /* of the device */
};

/* From the dispatching thread: takes an IRP in. NULL: no memory, and it has been completed. */
struct request *request_new(struct device *device, struct file *file, IRP *irp,
                            WDF_REQUEST_TYPE type);

/* The request of a handle, if the driver owns it; else NULL and a report. */
struct request *request_of(WDFREQUEST handle, const char *function);

/* Looks at the buffers of completed requests once more, and frees them. */
void request_buffers_check(void);

/* Completes it: the driver's last word, or the framework's. */
void request_complete(struct request *request, NTSTATUS status);

/* On a worker: into the default queue of its device. */
void request_enter(struct request *request);

/* What a request that was taken out of its queue because it is canceled comes to. Without the
 * lock. */
void request_canceled_in_queue(struct request *request);

/* What follow with the lock held. */
void queue_add(struct queue *queue, struct request *request, bool at_head);
void queue_remove(struct request *request);
/* Gives it to the driver, or takes it back. */
void queue_own(struct queue *queue, struct request *request);
void queue_disown(struct request *request);

/* Calls the driver with what it can have now, and with what it waits for. Without the lock. */
void queue_run(struct queue *queue);
/* The same after something was added. */
void queue_added(struct queue *queue, bool was_empty);
/* Cancels what is queued: of one file, in all queues of its device; or all of one queue. */
void queues_flush(struct file *file);
void queue_flush(struct queue *queue);

/* ---- threads of the runtime ---- */

#define LANES       4u
#define CANCEL_LANE LANES /* one more, for cancellations */

typedef void (*work_routine)(void *context);

/* Runs it on the worker of that lane, after all that was sent to it before. */
void work_send(unsigned lane, work_routine routine, void *context);
/* Runs it on any of the threads that stand for processes. */
void work_raise(work_routine routine, void *context);
/* Runs it on the thread for work items and timers. */
void work_system(work_routine routine, void *context);
/* Waits until nothing is under way on the lanes and the system thread. */
void work_drain(void);

/* ---- the kernel's functions ---- */

/* Exchanges what the driver imports for what is watched. Reports what nobody has. */
void imports_patch(DRIVER_OBJECT *driver);

unsigned pool_alive(bool leak);
/* Lets go what a request has held. NULL is allowed. */
void process_let_go(void *process);
/* Processes and tokens, and a notify routine, that the driver did not give back. */
void process_leaks(void);
void notify_leaks(void);

/* ---- the control device ---- */

void control_start(void);

#endif
