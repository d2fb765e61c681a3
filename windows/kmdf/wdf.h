/* SPDX-License-Identifier: MIT */
/*
 * What the driver uses of KMDF 1.15 on x64: our own declarations, from the framework's public
 * documentation and the facts in kmdf-1.15-x64-abi.tsv. The names are the framework's, so that
 * the same sources build with the WDK's own <wdf.h>.
 *
 * A driver calls the framework through a table that it is given when it binds. With KMDF_RUNTIME
 * defined there are no calls, only the types: for who implements the framework (tests).
 */
#ifndef WINDOWS_KMDF_WDF_H
#define WINDOWS_KMDF_WDF_H

#include <ntddk.h>

#include <stddef.h>

#define WDF_FUNCTION_COUNT       444 /* entries of the table */
#define WDF_NO_OBJECT_ATTRIBUTES NULL
#define WDF_NO_HANDLE            NULL
#define WDF_NO_EVENT_CALLBACK    NULL
#define WDF_NO_CONTEXT           NULL

#define STATUS_WDF_PAUSED ((NTSTATUS)0xC0200203L)
#define STATUS_WDF_BUSY   ((NTSTATUS)0xC0200204L)

/* Handles. */
typedef HANDLE WDFOBJECT;
typedef PVOID WDFCONTEXT;
typedef struct WDFDRIVER__ *WDFDRIVER;
typedef struct WDFDEVICE__ *WDFDEVICE;
typedef struct WDFQUEUE__ *WDFQUEUE;
typedef struct WDFREQUEST__ *WDFREQUEST;
typedef struct WDFFILEOBJECT__ *WDFFILEOBJECT;
typedef struct WDFTIMER__ *WDFTIMER;
typedef struct WDFWORKITEM__ *WDFWORKITEM;
typedef struct WDFWAITLOCK__ *WDFWAITLOCK;
typedef struct WDFSPINLOCK__ *WDFSPINLOCK;
typedef struct WDFKEY__ *WDFKEY;
typedef struct WDFDEVICE_INIT *PWDFDEVICE_INIT;

typedef enum {
    WdfExecutionLevelInvalid,
    WdfExecutionLevelInheritFromParent,
    WdfExecutionLevelPassive,
    WdfExecutionLevelDispatch
} WDF_EXECUTION_LEVEL;

typedef enum {
    WdfSynchronizationScopeInvalid,
    WdfSynchronizationScopeInheritFromParent,
    WdfSynchronizationScopeDevice,
    WdfSynchronizationScopeQueue,
    WdfSynchronizationScopeNone
} WDF_SYNCHRONIZATION_SCOPE;

typedef enum {
    WdfIoQueueDispatchInvalid,
    WdfIoQueueDispatchSequential,
    WdfIoQueueDispatchParallel,
    WdfIoQueueDispatchManual,
    WdfIoQueueDispatchMax
} WDF_IO_QUEUE_DISPATCH_TYPE;

typedef enum { WdfFalse, WdfTrue, WdfUseDefault } WDF_TRI_STATE;

typedef enum {
    WdfDriverInitNonPnpDriver = 1,
    WdfDriverInitNoDispatchOverride = 2,
    WdfVerifyOn = 4,
    WdfVerifierOn = 8
} WDF_DRIVER_INIT_FLAGS;

typedef enum {
    WdfFileObjectInvalid,
    WdfFileObjectNotRequired,
    WdfFileObjectWdfCanUseFsContext,
    WdfFileObjectWdfCanUseFsContext2,
    WdfFileObjectWdfCannotUseFsContexts
} WDF_FILEOBJECT_CLASS;

typedef enum {
    WdfRequestTypeCreate = 0,
    WdfRequestTypeClose = 2,
    WdfRequestTypeRead = 3,
    WdfRequestTypeWrite = 4,
    WdfRequestTypeDeviceControl = 14,
    WdfRequestTypeDeviceControlInternal = 15,
    WdfRequestTypeCleanup = 18,
    WdfRequestTypeOther = 28,
    WdfRequestTypeMax = 256
} WDF_REQUEST_TYPE;

typedef enum {
    WdfDeviceIoUndefined,
    WdfDeviceIoNeither,
    WdfDeviceIoBuffered,
    WdfDeviceIoDirect,
    WdfDeviceIoBufferedOrDirect
} WDF_DEVICE_IO_TYPE;

typedef enum {
    WdfIoQueueAcceptRequests = 1,
    WdfIoQueueDispatchRequests = 2,
    WdfIoQueueNoRequests = 4,
    WdfIoQueueDriverNoRequests = 8,
    WdfIoQueuePnpHeld = 16
} WDF_IO_QUEUE_STATE;

/* Callbacks. */
typedef NTSTATUS EVT_WDF_DRIVER_DEVICE_ADD(WDFDRIVER driver, PWDFDEVICE_INIT init);
typedef VOID EVT_WDF_DRIVER_UNLOAD(WDFDRIVER driver);
typedef VOID EVT_WDF_OBJECT_CONTEXT_CLEANUP(WDFOBJECT object);
typedef VOID EVT_WDF_OBJECT_CONTEXT_DESTROY(WDFOBJECT object);
typedef VOID EVT_WDF_DEVICE_FILE_CREATE(WDFDEVICE device, WDFREQUEST request, WDFFILEOBJECT file);
typedef VOID EVT_WDF_FILE_CLOSE(WDFFILEOBJECT file);
typedef VOID EVT_WDF_FILE_CLEANUP(WDFFILEOBJECT file);
typedef VOID EVT_WDF_IO_QUEUE_IO_DEFAULT(WDFQUEUE queue, WDFREQUEST request);
typedef VOID EVT_WDF_IO_QUEUE_IO_READ(WDFQUEUE queue, WDFREQUEST request, size_t size);
typedef VOID EVT_WDF_IO_QUEUE_IO_WRITE(WDFQUEUE queue, WDFREQUEST request, size_t size);
typedef VOID EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL(WDFQUEUE queue, WDFREQUEST request,
                                                size_t output_size, size_t input_size, ULONG code);
typedef VOID EVT_WDF_IO_QUEUE_IO_STOP(WDFQUEUE queue, WDFREQUEST request, ULONG flags);
typedef VOID EVT_WDF_IO_QUEUE_IO_RESUME(WDFQUEUE queue, WDFREQUEST request);
typedef VOID EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE(WDFQUEUE queue, WDFREQUEST request);
typedef VOID EVT_WDF_IO_QUEUE_STATE(WDFQUEUE queue, WDFCONTEXT context);
typedef EVT_WDF_IO_QUEUE_STATE *PFN_WDF_IO_QUEUE_STATE;
typedef VOID EVT_WDF_REQUEST_CANCEL(WDFREQUEST request);
typedef EVT_WDF_REQUEST_CANCEL *PFN_WDF_REQUEST_CANCEL;
typedef VOID EVT_WDF_TIMER(WDFTIMER timer);
typedef VOID EVT_WDF_WORKITEM(WDFWORKITEM item);

/* Structures. */
typedef struct _WDF_DRIVER_CONFIG {
    ULONG Size;
    EVT_WDF_DRIVER_DEVICE_ADD *EvtDriverDeviceAdd;
    EVT_WDF_DRIVER_UNLOAD *EvtDriverUnload;
    ULONG DriverInitFlags;
    ULONG DriverPoolTag;
} WDF_DRIVER_CONFIG, *PWDF_DRIVER_CONFIG;

typedef const struct _WDF_OBJECT_CONTEXT_TYPE_INFO *PCWDF_OBJECT_CONTEXT_TYPE_INFO;

typedef struct _WDF_OBJECT_CONTEXT_TYPE_INFO {
    ULONG Size;
    PCHAR ContextName;
    size_t ContextSize;
    PCWDF_OBJECT_CONTEXT_TYPE_INFO UniqueType;
    PCWDF_OBJECT_CONTEXT_TYPE_INFO (*EvtDriverGetUniqueContextType)(VOID);
} WDF_OBJECT_CONTEXT_TYPE_INFO;

typedef struct _WDF_OBJECT_ATTRIBUTES {
    ULONG Size;
    EVT_WDF_OBJECT_CONTEXT_CLEANUP *EvtCleanupCallback;
    EVT_WDF_OBJECT_CONTEXT_DESTROY *EvtDestroyCallback;
    WDF_EXECUTION_LEVEL ExecutionLevel;
    WDF_SYNCHRONIZATION_SCOPE SynchronizationScope;
    WDFOBJECT ParentObject;
    size_t ContextSizeOverride;
    PCWDF_OBJECT_CONTEXT_TYPE_INFO ContextTypeInfo;
} WDF_OBJECT_ATTRIBUTES, *PWDF_OBJECT_ATTRIBUTES;

typedef struct _WDF_FILEOBJECT_CONFIG {
    ULONG Size;
    EVT_WDF_DEVICE_FILE_CREATE *EvtDeviceFileCreate;
    EVT_WDF_FILE_CLOSE *EvtFileClose;
    EVT_WDF_FILE_CLEANUP *EvtFileCleanup;
    WDF_TRI_STATE AutoForwardCleanupClose;
    WDF_FILEOBJECT_CLASS FileObjectClass;
} WDF_FILEOBJECT_CONFIG, *PWDF_FILEOBJECT_CONFIG;

typedef struct _WDF_IO_QUEUE_CONFIG {
    ULONG Size;
    WDF_IO_QUEUE_DISPATCH_TYPE DispatchType;
    WDF_TRI_STATE PowerManaged;
    BOOLEAN AllowZeroLengthRequests;
    BOOLEAN DefaultQueue;
    EVT_WDF_IO_QUEUE_IO_DEFAULT *EvtIoDefault;
    EVT_WDF_IO_QUEUE_IO_READ *EvtIoRead;
    EVT_WDF_IO_QUEUE_IO_WRITE *EvtIoWrite;
    EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL *EvtIoDeviceControl;
    EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL *EvtIoInternalDeviceControl;
    EVT_WDF_IO_QUEUE_IO_STOP *EvtIoStop;
    EVT_WDF_IO_QUEUE_IO_RESUME *EvtIoResume;
    EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE *EvtIoCanceledOnQueue;
    union {
        struct {
            ULONG NumberOfPresentedRequests;
        } Parallel;
    } Settings;
    WDFDRIVER Driver;
} WDF_IO_QUEUE_CONFIG, *PWDF_IO_QUEUE_CONFIG;

typedef struct _WDF_REQUEST_PARAMETERS {
    USHORT Size;
    UCHAR MinorFunction;
    WDF_REQUEST_TYPE Type;
    union {
        struct {
            size_t OutputBufferLength;
            size_t InputBufferLength;
            ULONG IoControlCode;
            PVOID Type3InputBuffer;
        } DeviceIoControl;
    } Parameters;
} WDF_REQUEST_PARAMETERS, *PWDF_REQUEST_PARAMETERS;

typedef struct _WDF_TIMER_CONFIG {
    ULONG Size;
    EVT_WDF_TIMER *EvtTimerFunc;
    ULONG Period;
    BOOLEAN AutomaticSerialization;
    ULONG TolerableDelay;
    DECLSPEC_ALIGN(8) BOOLEAN UseHighResolutionTimer;
} WDF_TIMER_CONFIG, *PWDF_TIMER_CONFIG;

typedef struct _WDF_WORKITEM_CONFIG {
    ULONG Size;
    EVT_WDF_WORKITEM *EvtWorkItemFunc;
    BOOLEAN AutomaticSerialization;
} WDF_WORKITEM_CONFIG, *PWDF_WORKITEM_CONFIG;

typedef struct _WDF_DRIVER_GLOBALS {
    WDFDRIVER Driver;
    ULONG DriverFlags;
    ULONG DriverTag;
    CHAR DriverName[32];
    BOOLEAN DisplaceDriverUnload; /* the driver's entry must call WdfVersionUnbind at unload */
} WDF_DRIVER_GLOBALS, *PWDF_DRIVER_GLOBALS;

/* How a driver binds. From 1.15 on FuncTable is the address of the pointer to the table: the
 * framework stores the address of its own table there, nothing is copied. */
typedef VOID (*WDFFUNC)(VOID);

typedef struct _WDF_BIND_INFO {
    ULONG Size;
    PWCHAR Component;
    struct {
        ULONG Major;
        ULONG Minor;
        ULONG Build;
    } Version;
    ULONG FuncCount;
    WDFFUNC *FuncTable;
    PVOID Module;
} WDF_BIND_INFO, *PWDF_BIND_INFO;

C_ASSERT(sizeof(WDF_BIND_INFO) == 48);
C_ASSERT(offsetof(WDF_BIND_INFO, FuncCount) == 28);
C_ASSERT(offsetof(WDF_BIND_INFO, FuncTable) == 32);

/* For each function its index in the table and the type of what stands there. */
#define WDF_LIST(...) __VA_ARGS__
#define WDF_FUNCTION(result, name, index, parameters, arguments)                                   \
    enum { name##TableIndex = (index) };                                                           \
    typedef result (*PFN_##name)(PWDF_DRIVER_GLOBALS globals, WDF_LIST parameters);
#include "windows/kmdf/functions.h"
#undef WDF_FUNCTION

#ifndef KMDF_RUNTIME

extern PWDF_DRIVER_GLOBALS WdfDriverGlobals;
extern const WDFFUNC *WdfFunctions;

__declspec(dllimport) NTSTATUS WdfVersionBind(PDRIVER_OBJECT driver, PUNICODE_STRING path,
                                              PWDF_BIND_INFO info, PWDF_DRIVER_GLOBALS *globals);
__declspec(dllimport) VOID
    WdfVersionUnbind(PUNICODE_STRING path, PWDF_BIND_INFO info, PWDF_DRIVER_GLOBALS globals);

#define WDF_FUNCTION(result, name, index, parameters, arguments)                                   \
    FORCEINLINE result name parameters                                                             \
    {                                                                                              \
        return ((PFN_##name)WdfFunctions[index])(WdfDriverGlobals, WDF_LIST arguments);            \
    }
#include "windows/kmdf/functions.h"
#undef WDF_FUNCTION

#define WdfObjectReference(object)                                                                 \
    WdfObjectReferenceActual((WDFOBJECT)(object), NULL, __LINE__, (PCHAR)__FILE__)
#define WdfObjectDereference(object)                                                               \
    WdfObjectDereferenceActual((WDFOBJECT)(object), NULL, __LINE__, (PCHAR)__FILE__)

/* A context of an object: its type's identity is the address of its description, of which the
 * linker keeps one, however many source files declare it. */
#define WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(type, function)                                         \
    extern __declspec(selectany) const WDF_OBJECT_CONTEXT_TYPE_INFO wdf_type_##type;               \
    __declspec(selectany) const WDF_OBJECT_CONTEXT_TYPE_INFO wdf_type_##type = {                   \
        sizeof(WDF_OBJECT_CONTEXT_TYPE_INFO), (PCHAR) #type, sizeof(type), &wdf_type_##type,       \
        NULL};                                                                                     \
    FORCEINLINE type *function(WDFOBJECT object)                                                   \
    {                                                                                              \
        return WdfObjectGetTypedContextWorker(object, &wdf_type_##type);                           \
    }

#define WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(attributes, type)                                  \
    do {                                                                                           \
        WDF_OBJECT_ATTRIBUTES_INIT(attributes);                                                    \
        (attributes)->ContextTypeInfo = &wdf_type_##type;                                          \
    } while (0)

FORCEINLINE VOID WDF_OBJECT_ATTRIBUTES_INIT(PWDF_OBJECT_ATTRIBUTES attributes)
{
    *attributes =
        (WDF_OBJECT_ATTRIBUTES){.Size = sizeof(*attributes),
                                .ExecutionLevel = WdfExecutionLevelInheritFromParent,
                                .SynchronizationScope = WdfSynchronizationScopeInheritFromParent};
}

FORCEINLINE VOID WDF_DRIVER_CONFIG_INIT(PWDF_DRIVER_CONFIG config, EVT_WDF_DRIVER_DEVICE_ADD *add)
{
    *config = (WDF_DRIVER_CONFIG){.Size = sizeof(*config), .EvtDriverDeviceAdd = add};
}

FORCEINLINE VOID WDF_FILEOBJECT_CONFIG_INIT(PWDF_FILEOBJECT_CONFIG config,
                                            EVT_WDF_DEVICE_FILE_CREATE *create,
                                            EVT_WDF_FILE_CLOSE *close,
                                            EVT_WDF_FILE_CLEANUP *cleanup)
{
    *config = (WDF_FILEOBJECT_CONFIG){.Size = sizeof(*config),
                                      .EvtDeviceFileCreate = create,
                                      .EvtFileClose = close,
                                      .EvtFileCleanup = cleanup,
                                      .AutoForwardCleanupClose = WdfUseDefault,
                                      .FileObjectClass = WdfFileObjectWdfCanUseFsContext};
}

FORCEINLINE VOID WDF_IO_QUEUE_CONFIG_INIT(PWDF_IO_QUEUE_CONFIG config,
                                          WDF_IO_QUEUE_DISPATCH_TYPE type)
{
    *config = (WDF_IO_QUEUE_CONFIG){
        .Size = sizeof(*config), .DispatchType = type, .PowerManaged = WdfUseDefault};
    if (type == WdfIoQueueDispatchParallel)
        config->Settings.Parallel.NumberOfPresentedRequests = (ULONG)-1;
}

FORCEINLINE VOID WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(PWDF_IO_QUEUE_CONFIG config,
                                                        WDF_IO_QUEUE_DISPATCH_TYPE type)
{
    WDF_IO_QUEUE_CONFIG_INIT(config, type);
    config->DefaultQueue = TRUE;
}

#endif

#endif
