/* SPDX-License-Identifier: MIT */
/* Handles, contexts, references, and the tree in which objects are deleted. */
#include "tests/wine/wdfldr/table.h"

#include <string.h>

#define SLOTS      (1u << 17)
#define GUARD      16u
#define GUARD_BYTE 0xFD

struct slot {
    struct object *object;
    uint32_t generation;
    enum kind kind; /* of the last object that was here */
    uint32_t next;  /* free ones; 0: the last */
};

struct context {
    struct context *next;
    struct object *object;
    const WDF_OBJECT_CONTEXT_TYPE_INFO *type;
    EVT_WDF_OBJECT_CONTEXT_CLEANUP *cleanup;
    EVT_WDF_OBJECT_CONTEXT_DESTROY *destroy;
    size_t size;
    uint8_t *data; /* guards before and after it */
};

static struct slot slots[SLOTS]; /* 0 is not used */
static uint32_t used = 1, first_free, last_free;
static unsigned alive;
static LONG fail_in;
static volatile bool fail_all;

static const char *const kind_names[] = {
    [KIND_DRIVER] = "driver",       [KIND_DEVICE] = "device",   [KIND_FILE] = "file object",
    [KIND_QUEUE] = "queue",         [KIND_REQUEST] = "request", [KIND_SPIN_LOCK] = "spin lock",
    [KIND_WAIT_LOCK] = "wait lock", [KIND_TIMER] = "timer",     [KIND_WORK_ITEM] = "work item",
    [KIND_KEY] = "registry key",    [KIND_GENERAL] = "object",
};

bool allocation_fails(void)
{
    return fail_all || InterlockedDecrement(&fail_in) == 0;
}

void allocation_fail_all(bool all)
{
    fail_all = all;
}

void allocation_fail_at(uint32_t n)
{
    InterlockedExchange(&fail_in, (LONG)n);
}

uint32_t allocation_fail_in(void)
{
    LONG left = fail_in;

    return left > 0 ? (uint32_t)left : 0;
}

/* ---- handles ---- */

static uint64_t handle_make(uint32_t index)
{
    return (uint64_t)slots[index].generation << 24 | (uint64_t)index << 4 | 8;
}

static void slot_take(struct object *object)
{
    uint32_t index = first_free;

    if (index != 0) {
        first_free = slots[index].next;
        if (first_free == 0)
            last_free = 0;
    } else if (used < SLOTS) {
        index = used++;
    } else {
        report("out-of-handles", "%u objects", SLOTS);
        __builtin_trap();
    }
    slots[index].generation++;
    slots[index].object = object;
    slots[index].kind = object->kind;
    object->handle = handle_make(index);
    alive++;
}

/* Freed slots are used again as late as can be. */
static void slot_free(struct object *object)
{
    uint32_t index = (uint32_t)(object->handle >> 4) & (SLOTS - 1);

    slots[index].object = NULL;
    slots[index].next = 0;
    if (last_free != 0)
        slots[last_free].next = index;
    else
        first_free = index;
    last_free = index;
    alive--;
}

static struct object *find(const void *handle, const char *function)
{
    uint64_t value = (uint64_t)(uintptr_t)handle;
    uint32_t index = (uint32_t)(value >> 4) & (SLOTS - 1);

    if (value == 0) {
        report("null-handle", "%s", function);
        return NULL;
    }
    if (index == 0 || index >= used || (value & 15) != 8 || value >> 24 > slots[index].generation) {
        report("not-a-handle", "%s: %p", function, handle);
        return NULL;
    }
    if (slots[index].object == NULL || handle_make(index) != value) {
        if (slots[index].kind == KIND_REQUEST)
            report(strncmp(function, "WdfRequestComplete", 18) == 0 ? "completed-twice"
                                                                    : "touched-after-completion",
                   "%s: request %p", function, handle);
        else
            report("stale-handle", "%s: %s %p is gone", function, kind_names[slots[index].kind],
                   handle);
        return NULL;
    }
    return slots[index].object;
}

void *object_of_locked(const void *handle, enum kind kind, const char *function)
{
    struct object *object = find(handle, function);

    if (object == NULL)
        return NULL;
    if (object->kind != kind) {
        report("wrong-handle", "%s: a %s in place of a %s", function, kind_names[object->kind],
               kind_names[kind]);
        return NULL;
    }
    return object;
}

void *object_of(const void *handle, enum kind kind, const char *function)
{
    void *object;

    enter();
    object = object_of_locked(handle, kind, function);
    leave();
    return object;
}

/* ---- contexts ---- */

static NTSTATUS context_add(struct object *object, const WDF_OBJECT_ATTRIBUTES *attributes,
                            struct context **out)
{
    const WDF_OBJECT_CONTEXT_TYPE_INFO *type = attributes->ContextTypeInfo;
    struct context *context = memory_new(sizeof(*context));

    context->object = object;
    context->cleanup = attributes->EvtCleanupCallback;
    context->destroy = attributes->EvtDestroyCallback;
    if (type != NULL) {
        context->type = type->UniqueType;
        context->size = type->ContextSize > attributes->ContextSizeOverride
                            ? type->ContextSize
                            : attributes->ContextSizeOverride;
        context->data = memory_new(context->size + 2 * GUARD);
        memset(context->data, GUARD_BYTE, GUARD);
        memset(context->data + GUARD + context->size, GUARD_BYTE, GUARD);
    }
    /* At the end: the first context is that of the object's creation. */
    struct context **end = &object->contexts;
    while (*end != NULL)
        end = &(*end)->next;
    *end = context;
    if (out != NULL)
        *out = context;
    return STATUS_SUCCESS;
}

static bool guard_whole(const uint8_t *guard)
{
    unsigned i;

    for (i = 0; i < GUARD; i++)
        if (guard[i] != GUARD_BYTE)
            return false;
    return true;
}

static void context_free(struct context *context)
{
    if (context->data != NULL) {
        if (!guard_whole(context->data) || !guard_whole(context->data + GUARD + context->size))
            report("context-overrun", "context %s of a %s", context->type->ContextName,
                   kind_names[context->object->kind]);
        memset(context->data, 0xDD, context->size);
        memory_retire(context->data, NULL);
    }
    memory_retire(context, NULL);
}

static bool attributes_valid(const WDF_OBJECT_ATTRIBUTES *attributes, const char *function)
{
    if (attributes->Size != sizeof(*attributes)) {
        report("struct-size", "%s: attributes of %lu bytes", function, attributes->Size);
        return false;
    }
    if (attributes->ContextTypeInfo != NULL &&
        attributes->ContextTypeInfo->Size != sizeof(*attributes->ContextTypeInfo)) {
        report("struct-size", "%s: context type of %lu bytes", function,
               attributes->ContextTypeInfo->Size);
        return false;
    }
    return true;
}

/* ---- objects ---- */

NTSTATUS object_new(enum kind kind, size_t size, const WDF_OBJECT_ATTRIBUTES *attributes,
                    struct object *parent, const char *function, void *out)
{
    struct object *object;

    *(void **)out = NULL;
    if (attributes != NULL && !attributes_valid(attributes, function))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (allocation_fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    object = memory_new(size);
    object->kind = kind;
    object->references = 1;
    enter();
    if (attributes != NULL && attributes->ParentObject != NULL) {
        parent = find(attributes->ParentObject, function);
        if (parent == NULL || parent->deleted) {
            leave();
            memory_free(object);
            return parent == NULL ? STATUS_INVALID_PARAMETER : STATUS_DELETE_PENDING;
        }
    }
    if (parent != NULL) {
        object->parent = parent;
        parent->references++;
        object->next = parent->child;
        object->link = &parent->child;
        if (object->next != NULL)
            object->next->link = &object->next;
        parent->child = object;
    }
    slot_take(object);
    leave();
    if (attributes != NULL)
        context_add(object, attributes, NULL);
    *(void **)out = object;
    return STATUS_SUCCESS;
}

void object_reference(struct object *object)
{
    enter();
    object->references++;
    leave();
}

static void object_destroy(struct object *object)
{
    struct context *context, *next;
    struct object *parent = object->parent;

    for (context = object->contexts; context != NULL; context = context->next) {
        if (context->destroy != NULL) {
            struct call call = call_begin();
            context->destroy((WDFOBJECT)(uintptr_t)object->handle);
            call_end(call, "EvtDestroyCallback");
        }
    }
    if (object->destroy != NULL)
        object->destroy(object);
    enter();
    slot_free(object);
    leave();
    for (context = object->contexts; context != NULL; context = next) {
        next = context->next;
        context_free(context);
    }
    memory_retire(object, NULL);
    WakeAllConditionVariable(&runtime_changed);
    if (parent != NULL)
        object_dereference(parent);
}

void object_dereference(struct object *object)
{
    bool last;

    enter();
    last = --object->references == 0;
    leave();
    if (last)
        object_destroy(object);
}

static void unlink_child(struct object *object)
{
    if (object->link == NULL)
        return;
    *object->link = object->next;
    if (object->next != NULL)
        object->next->link = object->link;
    object->link = NULL;
}

void object_delete(struct object *object)
{
    struct object *child;
    struct context *context;

    enter();
    if (object->deleted) {
        leave();
        return;
    }
    object->deleted = true;
    unlink_child(object);
    while ((child = object->child) != NULL) {
        child->references++; /* it may be deleted by another at this moment */
        leave();
        object_delete(child);
        object_dereference(child);
        enter();
    }
    leave();
    for (context = object->contexts; context != NULL; context = context->next) {
        if (context->cleanup != NULL) {
            struct call call = call_begin();
            context->cleanup((WDFOBJECT)(uintptr_t)object->handle);
            call_end(call, "EvtCleanupCallback");
        }
    }
    if (object->dispose != NULL)
        object->dispose(object);
    object_dereference(object);
}

unsigned objects_alive(bool leak)
{
    uint32_t i;
    unsigned result;

    enter();
    for (i = 1; leak && i < used; i++)
        if (slots[i].object != NULL)
            report("object-leak", "a %s, %u references", kind_names[slots[i].object->kind],
                   slots[i].object->references);
    result = alive;
    leave();
    return result;
}

/* ---- the framework's functions ---- */

static PVOID get_typed_context(PWDF_DRIVER_GLOBALS globals, WDFOBJECT handle,
                               PCWDF_OBJECT_CONTEXT_TYPE_INFO type)
{
    struct object *object;
    struct context *context;
    PVOID data = NULL;

    UNREFERENCED_PARAMETER(globals);
    enter();
    object = find(handle, "WdfObjectGetTypedContextWorker");
    if (object != NULL) {
        for (context = object->contexts; context != NULL; context = context->next)
            if (context->type != NULL && context->type == type->UniqueType)
                data = context->data + GUARD;
        if (data == NULL)
            report("no-context", "a %s has no context %s", kind_names[object->kind],
                   type->ContextName);
    }
    leave();
    return data;
}

static NTSTATUS allocate_context(PWDF_DRIVER_GLOBALS globals, WDFOBJECT handle,
                                 PWDF_OBJECT_ATTRIBUTES attributes, PVOID *out)
{
    struct object *object;
    struct context *context;

    UNREFERENCED_PARAMETER(globals);
    if (!attributes_valid(attributes, "WdfObjectAllocateContext"))
        return STATUS_INFO_LENGTH_MISMATCH;
    enter();
    object = find(handle, "WdfObjectAllocateContext");
    for (context = object != NULL ? object->contexts : NULL; context != NULL;
         context = context->next)
        if (context->type != NULL && context->type == attributes->ContextTypeInfo->UniqueType)
            break;
    leave();
    if (object == NULL)
        return STATUS_INVALID_HANDLE;
    if (context != NULL) {
        *out = context->data + GUARD;
        return STATUS_OBJECT_NAME_EXISTS;
    }
    if (allocation_fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    context_add(object, attributes, &context);
    *out = context->data + GUARD;
    return STATUS_SUCCESS;
}

static WDFOBJECT context_get_object(PWDF_DRIVER_GLOBALS globals, PVOID data)
{
    struct context *context;
    WDFOBJECT result = NULL;
    uint32_t i;

    UNREFERENCED_PARAMETER(globals);
    enter();
    for (i = 1; i < used && result == NULL; i++)
        for (context = slots[i].object != NULL ? slots[i].object->contexts : NULL; context != NULL;
             context = context->next)
            if (context->data != NULL && context->data + GUARD == (uint8_t *)data)
                result = (WDFOBJECT)(uintptr_t)slots[i].object->handle;
    leave();
    if (result == NULL)
        report("no-context", "WdfObjectContextGetObject: %p is none", data);
    return result;
}

static VOID reference_actual(PWDF_DRIVER_GLOBALS globals, WDFOBJECT handle, PVOID tag, LONG line,
                             PCHAR file)
{
    struct object *object;

    UNREFERENCED_PARAMETER(globals);
    UNREFERENCED_PARAMETER(tag);
    UNREFERENCED_PARAMETER(line);
    UNREFERENCED_PARAMETER(file);
    enter();
    object = find(handle, "WdfObjectReference");
    if (object != NULL)
        object->references++;
    leave();
}

static VOID dereference_actual(PWDF_DRIVER_GLOBALS globals, WDFOBJECT handle, PVOID tag, LONG line,
                               PCHAR file)
{
    struct object *object;

    UNREFERENCED_PARAMETER(globals);
    UNREFERENCED_PARAMETER(tag);
    enter();
    object = find(handle, "WdfObjectDereference");
    if (object != NULL && object->references == 1 && !object->deleted) {
        report("over-dereferenced", "a %s, %s:%ld", kind_names[object->kind],
               file != NULL ? file : "", line);
        object = NULL;
    }
    leave();
    if (object != NULL)
        object_dereference(object);
}

static NTSTATUS create(PWDF_DRIVER_GLOBALS globals, PWDF_OBJECT_ATTRIBUTES attributes,
                       WDFOBJECT *out)
{
    struct object *object;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfObjectCreate");
    status = object_new(KIND_GENERAL, sizeof(*object), attributes, &the_driver->base,
                        "WdfObjectCreate", &object);
    *out = object != NULL ? (WDFOBJECT)(uintptr_t)object->handle : NULL;
    return status;
}

static VOID delete (PWDF_DRIVER_GLOBALS globals, WDFOBJECT handle)
{
    struct object *object;

    UNREFERENCED_PARAMETER(globals);
    enter();
    object = find(handle, "WdfObjectDelete");
    if (object != NULL && (object->kind == KIND_DRIVER || object->kind == KIND_REQUEST ||
                           object->kind == KIND_FILE)) {
        report("undeletable", "WdfObjectDelete: a %s is the framework's to delete",
               kind_names[object->kind]);
        object = NULL;
    } else if (object != NULL && object->deleted) {
        report("deleted-twice", "a %s", kind_names[object->kind]);
        object = NULL;
    }
    leave();
    if (object != NULL)
        object_delete(object);
}

void table_objects(WDFFUNC *table)
{
    SET(WdfObjectGetTypedContextWorker, get_typed_context);
    SET(WdfObjectAllocateContext, allocate_context);
    SET(WdfObjectContextGetObject, context_get_object);
    SET(WdfObjectReferenceActual, reference_actual);
    SET(WdfObjectDereferenceActual, dereference_actual);
    SET(WdfObjectCreate, create);
    SET(WdfObjectDelete, delete);
}
