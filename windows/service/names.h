/* SPDX-License-Identifier: MIT */
/* What the service control manager and the event log know us by. */
#ifndef WINDOWS_SERVICE_NAMES_H
#define WINDOWS_SERVICE_NAMES_H

#define DRIVER_SERVICE   L"rollcall"
#define RECORDER_SERVICE L"rollcall-recorder"
#define EVENT_SOURCE     L"rollcall"

/* The durable consumer that the recorder reads as: that of `rollcall record`. */
#define RECORDER_CONSUMER "record"

#endif
