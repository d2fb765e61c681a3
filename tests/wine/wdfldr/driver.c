/* SPDX-License-Identifier: MIT */
/* The driver and its control device: binding, IRPs, file objects, unloading. */
#include "tests/wine/wdfldr/kernel.h"
#include "tests/wine/wdfldr/table.h"

#include <string.h>
#include <wchar.h>

#define UNLOAD_MS        8000u /* Wine's service manager gives 10 s */
#define PIN_FROM_ADDRESS 5u

struct driver *the_driver;
struct device_facts device_facts;

static WDFFUNC table[WDF_FUNCTION_COUNT];
static WDF_DRIVER_GLOBALS driver_globals;
static struct WDFDEVICE_INIT *inits;

/* ---- files ---- */

static void file_finish(void *context)
{
    struct file *file = context;
    struct device *device = file->device;
    EVT_WDF_FILE_CLOSE *routine = device->init.files.EvtFileClose;
    struct call call;

    irql_at_most(PASSIVE_LEVEL, "EvtFileClose");
    if (NT_SUCCESS(file->status) && routine != NULL) {
        call = call_begin();
        routine((WDFFILEOBJECT)HANDLE_OF(file));
        call_end(call, "EvtFileClose");
    }
    object_delete(&file->base);
    enter();
    device->files--;
    leave();
    WakeAllConditionVariable(&runtime_changed);
    object_dereference(&device->base);
}

static void file_destroy(struct object *object)
{
    ObDereferenceObject(((struct file *)object)->object);
}

void file_request_done(struct file *file)
{
    bool last;

    enter();
    last = --file->requests == 0 && file->cleaned;
    leave();
    if (last)
        work_send(file->lane, file_finish, file);
}

/* The last handle is closed. Wine knows no IRP_MJ_CLEANUP: this is both. */
static void file_close(void *context)
{
    struct file *file = context;
    EVT_WDF_FILE_CLEANUP *routine = file->device->init.files.EvtFileCleanup;
    struct call call;

    if (NT_SUCCESS(file->status) && routine != NULL) {
        call = call_begin();
        routine((WDFFILEOBJECT)HANDLE_OF(file));
        call_end(call, "EvtFileCleanup");
    }
    queues_flush(file);
    enter();
    file->cleaned = true;
    file->requests++;
    leave();
    file_request_done(file);
}

static struct device *device_of(DEVICE_OBJECT *object)
{
    return *(struct device **)object->DeviceExtension;
}

static NTSTATUS finish_irp(IRP *irp, NTSTATUS status)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static struct file *file_new(struct device *device, FILE_OBJECT *object)
{
    const WDF_OBJECT_ATTRIBUTES *attributes = &device->init.file_attributes;
    struct file *file;

    if (!NT_SUCCESS(object_new(KIND_FILE, sizeof(*file), attributes->Size != 0 ? attributes : NULL,
                               &device->base, "a file object", &file)))
        return NULL;
    file->device = device;
    file->object = object;
    file->base.destroy = file_destroy;
    ObReferenceObject(object);
    enter();
    device->files++;
    device->base.references++;
    leave();
    return file;
}

/* Wine lets every open succeed: that it was refused is remembered for its requests. */
static NTSTATUS NTAPI irp_create(DEVICE_OBJECT *object, IRP *irp)
{
    struct device *device = device_of(object);
    FILE_OBJECT *file_object = IoGetCurrentIrpStackLocation(irp)->FileObject;
    EVT_WDF_DEVICE_FILE_CREATE *routine = device->init.files.EvtDeviceFileCreate;
    struct request *request;
    struct file *file;
    struct call call;
    struct stay stay;
    bool refuse;

    file_object->FsContext = NULL;
    enter();
    refuse = !device->finished || device->driver->unloading;
    leave();
    file = refuse ? NULL : file_new(device, file_object);
    if (file == NULL)
        return finish_irp(irp, STATUS_NO_SUCH_DEVICE);
    file_object->FsContext = file;
    if (routine == NULL)
        return finish_irp(irp, STATUS_SUCCESS);
    request = request_new(device, file, irp, WdfRequestTypeCreate);
    if (request == NULL) {
        file->status = STATUS_INSUFFICIENT_RESOURCES;
        return STATUS_PENDING;
    }
    IoMarkIrpPending(irp);
    request->place = PLACE_DRIVER;
    request->presented = true;
    stay = process_enter(request->pid, request->tid);
    call = call_begin();
    routine((WDFDEVICE)HANDLE_OF(device), (WDFREQUEST)HANDLE_OF(request),
            (WDFFILEOBJECT)HANDLE_OF(file));
    call_end(call, "EvtDeviceFileCreate");
    process_leave(stay);
    return STATUS_PENDING;
}

static NTSTATUS NTAPI irp_close(DEVICE_OBJECT *object, IRP *irp)
{
    FILE_OBJECT *file_object = IoGetCurrentIrpStackLocation(irp)->FileObject;
    struct file *file = file_object->FsContext;

    UNREFERENCED_PARAMETER(object);
    if (file != NULL) {
        file_object->FsContext = NULL;
        file->lane = HandleToULong(PsGetThreadId(irp->Tail.Overlay.Thread)) / 4 % LANES;
        work_send(file->lane, file_close, file);
    }
    return finish_irp(irp, STATUS_SUCCESS);
}

static void enter_request(void *context)
{
    request_enter(context);
}

static NTSTATUS NTAPI irp_control(DEVICE_OBJECT *object, IRP *irp)
{
    struct file *file = IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext;
    struct request *request;

    if (file == NULL)
        return finish_irp(irp, STATUS_NO_SUCH_DEVICE);
    IoMarkIrpPending(irp);
    request = request_new(device_of(object), file, irp, WdfRequestTypeDeviceControl);
    if (request != NULL)
        work_send(request->lane, enter_request, request);
    return STATUS_PENDING;
}

static NTSTATUS NTAPI irp_other(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    return finish_irp(irp, STATUS_INVALID_DEVICE_REQUEST);
}

/* ---- the device ---- */

static VOID NTAPI unload(DRIVER_OBJECT *object)
{
    struct driver *driver = the_driver;
    unsigned long begin = GetTickCount();
    struct object *child;
    bool open, told = false;
    struct call call;

    UNREFERENCED_PARAMETER(object);
    /* As the I/O manager does: not before the last handle is closed, and none is opened then. */
    enter();
    driver->unloading = true;
    do {
        open = false;
        for (child = driver->base.child; child != NULL; child = child->next)
            open = open || (child->kind == KIND_DEVICE && ((struct device *)child)->files > 0);
        if (open && !told && GetTickCount() - begin > UNLOAD_MS) {
            report("unload-waits", "handles of the device, or requests, are still there");
            told = true;
        }
        if (open)
            wait_changed(100);
    } while (open);
    leave();
    work_drain();
    call = call_begin();
    driver->config.EvtDriverUnload((WDFDRIVER)HANDLE_OF(driver));
    call_end(call, "EvtDriverUnload");
    work_drain();
    object_delete(&driver->base);
    the_driver = NULL;
}

static void device_dispose(struct object *object)
{
    struct device *device = (struct device *)object;
    UNICODE_STRING link;

    if (device->link[0] != 0) {
        RtlInitUnicodeString(&link, device->link);
        IoDeleteSymbolicLink(&link);
    }
    if (device->object != NULL)
        IoDeleteDevice(device->object);
}

/* The driver's, if it has not been used up; with the lock held. */
static bool init_valid(const struct WDFDEVICE_INIT *init, const char *function)
{
    const struct WDFDEVICE_INIT *known;

    for (known = inits; known != NULL; known = known->next)
        if (known == init)
            return true;
    report("stale-init", "%s: %p", function, (const void *)init);
    return false;
}

static bool init_check(const struct WDFDEVICE_INIT *init, const char *function)
{
    bool valid;

    enter();
    valid = init_valid(init, function);
    leave();
    return valid;
}

/* Takes it away from the driver. */
static bool init_take(struct WDFDEVICE_INIT *init, const char *function)
{
    struct WDFDEVICE_INIT **link;
    bool valid;

    enter();
    valid = init_valid(init, function);
    for (link = &inits; valid && *link != init;)
        link = &(*link)->next;
    if (valid)
        *link = init->next;
    leave();
    return valid;
}

static bool copy_string(wchar_t *to, size_t room, PCUNICODE_STRING from)
{
    if (from == NULL || from->Length >= room)
        return false;
    memset(to, 0, room);
    memcpy(to, from->Buffer, from->Length);
    return true;
}

static PWDFDEVICE_INIT init_allocate(PWDF_DRIVER_GLOBALS globals, WDFDRIVER handle,
                                     const UNICODE_STRING *sddl)
{
    struct driver *driver = object_of(handle, KIND_DRIVER, "WdfControlDeviceInitAllocate");
    struct WDFDEVICE_INIT *init;

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfControlDeviceInitAllocate");
    if (driver == NULL || allocation_fails())
        return NULL;
    init = memory_new(sizeof(*init));
    init->driver = driver;
    init->characteristics = FILE_DEVICE_SECURE_OPEN; /* the framework's default */
    init->type = FILE_DEVICE_UNKNOWN;
    if (sddl == NULL || !copy_string(init->sddl, sizeof(init->sddl), sddl))
        report("no-sddl", "WdfControlDeviceInitAllocate needs one");
    enter();
    init->next = inits;
    inits = init;
    leave();
    return init;
}

static VOID init_free(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init)
{
    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfDeviceInitFree");
    if (init_take(init, "WdfDeviceInitFree"))
        memory_retire(init, NULL);
}

static VOID init_set_io_type(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init,
                             WDF_DEVICE_IO_TYPE type)
{
    /* For reads and writes; this runtime knows none. */
    UNREFERENCED_PARAMETER(globals);
    UNREFERENCED_PARAMETER(type);
    init_check(init, "WdfDeviceInitSetIoType");
}

static VOID init_set_exclusive(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init, BOOLEAN exclusive)
{
    UNREFERENCED_PARAMETER(globals);
    if (init_check(init, "WdfDeviceInitSetExclusive"))
        init->exclusive = exclusive;
}

static VOID init_set_device_type(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init,
                                 DEVICE_TYPE type)
{
    UNREFERENCED_PARAMETER(globals);
    if (init_check(init, "WdfDeviceInitSetDeviceType"))
        init->type = type;
}

static NTSTATUS init_assign_name(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init,
                                 PCUNICODE_STRING name)
{
    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfDeviceInitAssignName");
    if (!init_check(init, "WdfDeviceInitAssignName"))
        return STATUS_INVALID_PARAMETER;
    if (allocation_fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    return copy_string(init->name, sizeof(init->name), name) ? STATUS_SUCCESS
                                                             : STATUS_NAME_TOO_LONG;
}

static NTSTATUS init_assign_sddl(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init,
                                 PCUNICODE_STRING sddl)
{
    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfDeviceInitAssignSDDLString");
    if (!init_check(init, "WdfDeviceInitAssignSDDLString"))
        return STATUS_INVALID_PARAMETER;
    if (allocation_fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    return copy_string(init->sddl, sizeof(init->sddl), sddl) ? STATUS_SUCCESS
                                                             : STATUS_NAME_TOO_LONG;
}

static VOID init_set_characteristics(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init,
                                     ULONG characteristics, BOOLEAN add)
{
    UNREFERENCED_PARAMETER(globals);
    if (!init_check(init, "WdfDeviceInitSetCharacteristics"))
        return;
    init->characteristics = (add ? init->characteristics : 0) | characteristics;
}

static VOID init_set_files(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init,
                           PWDF_FILEOBJECT_CONFIG config, PWDF_OBJECT_ATTRIBUTES attributes)
{
    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfDeviceInitSetFileObjectConfig");
    if (!init_check(init, "WdfDeviceInitSetFileObjectConfig"))
        return;
    if (config->Size != sizeof(*config))
        report("struct-size", "WdfDeviceInitSetFileObjectConfig: %lu bytes", config->Size);
    init->files = *config;
    if (attributes != NULL)
        init->file_attributes = *attributes;
}

static VOID init_set_requests(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init,
                              PWDF_OBJECT_ATTRIBUTES attributes)
{
    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfDeviceInitSetRequestAttributes");
    if (init_check(init, "WdfDeviceInitSetRequestAttributes"))
        init->request_attributes = *attributes;
}

static NTSTATUS device_create(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT *init_of,
                              PWDF_OBJECT_ATTRIBUTES attributes, WDFDEVICE *out)
{
    struct WDFDEVICE_INIT *init = *init_of;
    struct device *device;
    UNICODE_STRING name;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(globals);
    *out = NULL;
    irql_at_most(PASSIVE_LEVEL, "WdfDeviceCreate");
    if (!init_check(init, "WdfDeviceCreate"))
        return STATUS_INVALID_PARAMETER;
    if (attributes != NULL && attributes->ParentObject != NULL) {
        report("parent", "WdfDeviceCreate: a device's parent is the driver");
        return STATUS_INVALID_PARAMETER;
    }
    status = object_new(KIND_DEVICE, sizeof(*device), attributes, &init->driver->base,
                        "WdfDeviceCreate", &device);
    if (!NT_SUCCESS(status))
        return status;
    device->driver = init->driver;
    device->init = *init;
    device->base.dispose = device_dispose;
    RtlInitUnicodeString(&name, init->name);
    status = IoCreateDevice(init->driver->object, sizeof(device), init->name[0] != 0 ? &name : NULL,
                            init->type, init->characteristics, init->exclusive, &device->object);
    if (!NT_SUCCESS(status)) {
        device->object = NULL;
        object_delete(&device->base);
        return status;
    }
    *(struct device **)device->object->DeviceExtension = device;
    wcscpy(device_facts.sddl, init->sddl);
    device_facts.characteristics = init->characteristics;
    device_facts.exclusive = init->exclusive;
    init_take(init, "WdfDeviceCreate");
    memory_retire(init, NULL);
    *init_of = NULL;
    *out = (WDFDEVICE)HANDLE_OF(device);
    return STATUS_SUCCESS;
}

static NTSTATUS create_symbolic_link(PWDF_DRIVER_GLOBALS globals, WDFDEVICE handle,
                                     PCUNICODE_STRING link)
{
    struct device *device = object_of(handle, KIND_DEVICE, "WdfDeviceCreateSymbolicLink");
    UNICODE_STRING name, target;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfDeviceCreateSymbolicLink");
    if (device == NULL)
        return STATUS_INVALID_HANDLE;
    if (device->init.name[0] == 0)
        return STATUS_INVALID_DEVICE_STATE;
    if (allocation_fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!copy_string(device->link, sizeof(device->link), link))
        return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(&name, device->link);
    RtlInitUnicodeString(&target, device->init.name);
    IoDeleteSymbolicLink(&name); /* of a driver process that has been ended by force */
    status = IoCreateSymbolicLink(&name, &target);
    if (!NT_SUCCESS(status))
        device->link[0] = 0;
    return status;
}

static VOID finish_initializing(PWDF_DRIVER_GLOBALS globals, WDFDEVICE handle)
{
    struct device *device = object_of(handle, KIND_DEVICE, "WdfControlFinishInitializing");

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfControlFinishInitializing");
    if (device == NULL)
        return;
    enter();
    device->finished = true;
    leave();
}

static PDEVICE_OBJECT wdm_get_device_object(PWDF_DRIVER_GLOBALS globals, WDFDEVICE handle)
{
    struct device *device = object_of(handle, KIND_DEVICE, "WdfDeviceWdmGetDeviceObject");

    UNREFERENCED_PARAMETER(globals);
    return device != NULL ? device->object : NULL;
}

static WDFDRIVER device_get_driver(PWDF_DRIVER_GLOBALS globals, WDFDEVICE handle)
{
    struct device *device = object_of(handle, KIND_DEVICE, "WdfDeviceGetDriver");

    UNREFERENCED_PARAMETER(globals);
    return device != NULL ? (WDFDRIVER)HANDLE_OF(device->driver) : NULL;
}

static WDFDEVICE file_get_device(PWDF_DRIVER_GLOBALS globals, WDFFILEOBJECT handle)
{
    struct file *file = object_of(handle, KIND_FILE, "WdfFileObjectGetDevice");

    UNREFERENCED_PARAMETER(globals);
    return file != NULL ? (WDFDEVICE)HANDLE_OF(file->device) : NULL;
}

static PFILE_OBJECT file_wdm_get(PWDF_DRIVER_GLOBALS globals, WDFFILEOBJECT handle)
{
    struct file *file = object_of(handle, KIND_FILE, "WdfFileObjectWdmGetFileObject");

    UNREFERENCED_PARAMETER(globals);
    return file != NULL ? file->object : NULL;
}

/* ---- the driver ---- */

static NTSTATUS driver_create(PWDF_DRIVER_GLOBALS globals, PDRIVER_OBJECT object,
                              PCUNICODE_STRING path, PWDF_OBJECT_ATTRIBUTES attributes,
                              PWDF_DRIVER_CONFIG config, WDFDRIVER *out)
{
    struct driver *driver;
    NTSTATUS status;
    unsigned i;

    irql_at_most(PASSIVE_LEVEL, "WdfDriverCreate");
    if (out != NULL)
        *out = NULL;
    if (config->Size != sizeof(*config)) {
        report("struct-size", "WdfDriverCreate: configuration of %lu bytes", config->Size);
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (the_driver != NULL)
        return STATUS_DRIVER_INTERNAL_ERROR;
    if ((config->DriverInitFlags & WdfDriverInitNonPnpDriver) == 0 ||
        config->EvtDriverDeviceAdd != NULL) {
        report("not-non-pnp", "this runtime has no plug and play");
        return STATUS_INVALID_PARAMETER;
    }
    status = object_new(KIND_DRIVER, sizeof(*driver), attributes, NULL, "WdfDriverCreate", &driver);
    if (!NT_SUCCESS(status))
        return status;
    driver->object = object;
    driver->config = *config;
    copy_string(driver->path, sizeof(driver->path), path);
    for (i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        object->MajorFunction[i] = irp_other;
    object->MajorFunction[IRP_MJ_CREATE] = irp_create;
    object->MajorFunction[IRP_MJ_CLOSE] = irp_close;
    object->MajorFunction[IRP_MJ_DEVICE_CONTROL] = irp_control;
    object->DriverUnload = config->EvtDriverUnload != NULL ? unload : NULL;
    the_driver = driver;
    globals->Driver = (WDFDRIVER)HANDLE_OF(driver);
    if (out != NULL)
        *out = globals->Driver;
    return STATUS_SUCCESS;
}

static PDRIVER_OBJECT wdm_get_driver_object(PWDF_DRIVER_GLOBALS globals, WDFDRIVER handle)
{
    struct driver *driver = object_of(handle, KIND_DRIVER, "WdfDriverWdmGetDriverObject");

    UNREFERENCED_PARAMETER(globals);
    return driver != NULL ? driver->object : NULL;
}

static void table_driver(void)
{
    SET(WdfControlDeviceInitAllocate, init_allocate);
    SET(WdfControlFinishInitializing, finish_initializing);
    SET(WdfDeviceWdmGetDeviceObject, wdm_get_device_object);
    SET(WdfDeviceGetDriver, device_get_driver);
    SET(WdfDeviceInitFree, init_free);
    SET(WdfDeviceInitSetIoType, init_set_io_type);
    SET(WdfDeviceInitSetExclusive, init_set_exclusive);
    SET(WdfDeviceInitSetDeviceType, init_set_device_type);
    SET(WdfDeviceInitAssignName, init_assign_name);
    SET(WdfDeviceInitAssignSDDLString, init_assign_sddl);
    SET(WdfDeviceInitSetCharacteristics, init_set_characteristics);
    SET(WdfDeviceInitSetFileObjectConfig, init_set_files);
    SET(WdfDeviceInitSetRequestAttributes, init_set_requests);
    SET(WdfDeviceCreate, device_create);
    SET(WdfDeviceCreateSymbolicLink, create_symbolic_link);
    SET(WdfDriverCreate, driver_create);
    SET(WdfDriverWdmGetDriverObject, wdm_get_driver_object);
    SET(WdfFileObjectGetDevice, file_get_device);
    SET(WdfFileObjectWdmGetFileObject, file_wdm_get);
}

/* ---- binding ---- */

static VOID not_here(VOID)
{
    report("unknown-function", "the driver called a function that functions.h does not declare");
}

static bool bind_info_valid(const WDF_BIND_INFO *info)
{
    if (info->Size == sizeof(*info) && wcscmp(info->Component, L"KmdfLibrary") == 0 &&
        info->Version.Major == 1 && info->Version.Minor == 15 &&
        info->FuncCount == WDF_FUNCTION_COUNT)
        return true;
    report("bind", "size %lu, version %lu.%lu, %lu functions", info->Size, info->Version.Major,
           info->Version.Minor, info->FuncCount);
    return false;
}

NTSTATUS WdfVersionBind(PDRIVER_OBJECT driver, PUNICODE_STRING path, PWDF_BIND_INFO info,
                        PWDF_DRIVER_GLOBALS *globals);
VOID WdfVersionUnbind(PUNICODE_STRING path, PWDF_BIND_INFO info, PWDF_DRIVER_GLOBALS globals);

NTSTATUS WdfVersionBind(PDRIVER_OBJECT driver, PUNICODE_STRING path, PWDF_BIND_INFO info,
                        PWDF_DRIVER_GLOBALS *globals)
{
    void *module;
    unsigned i;

    UNREFERENCED_PARAMETER(path);
    /* Threads of the runtime outlive the driver, and Wine frees what a driver imports with it. */
    GetModuleHandleExW(PIN_FROM_ADDRESS, (const wchar_t *)(uintptr_t)WdfVersionBind, &module);
    settings_read();
    allocation_fail_at(settings.fail_allocation);
    allocation_fail_all(false);
    control_start();
    if (!bind_info_valid(info) || the_driver != NULL)
        return STATUS_INVALID_PARAMETER;

    for (i = 0; i < WDF_FUNCTION_COUNT; i++)
        table[i] = not_here;
    table_driver();
    table_objects(table);
    table_queues(table);
    table_requests(table);
    table_locks(table);
    table_misc(table);
    imports_patch(driver);
    process_begin();
    notify_begin();
    races_begin();

    memset(&driver_globals, 0, sizeof(driver_globals));
    driver_globals.DisplaceDriverUnload = TRUE;
    *globals = &driver_globals;
    *(const WDFFUNC **)info->FuncTable = table;
    return STATUS_SUCCESS;
}

VOID WdfVersionUnbind(PUNICODE_STRING path, PWDF_BIND_INFO info, PWDF_DRIVER_GLOBALS globals)
{
    UNREFERENCED_PARAMETER(path);
    UNREFERENCED_PARAMETER(info);
    if (globals != &driver_globals)
        report("unbind", "these are not the globals that were given out");
    races_end();
    /* The driver's entry failed: nobody has called the unload routine. */
    if (the_driver != NULL) {
        object_delete(&the_driver->base);
        the_driver = NULL;
    }
    work_drain();
    if (inits != NULL)
        report("init-leak", "WdfControlDeviceInitAllocate without WdfDeviceInitFree");
    inits = NULL;
    objects_alive(true);
    pool_alive(true);
    notify_leaks();
    process_leaks();
    request_buffers_check();
}
