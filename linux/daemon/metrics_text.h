/* SPDX-License-Identifier: MIT */
/* All metrics in the text format of Prometheus, version 0.0.4. */
#ifndef LINUX_DAEMON_METRICS_TEXT_H
#define LINUX_DAEMON_METRICS_TEXT_H

#include "linux/daemon/client.h"

/* For who asks to free; NULL: no memory. Only for the thread of the clients. */
char *metrics_text(const struct service *service, size_t *size);

#endif
