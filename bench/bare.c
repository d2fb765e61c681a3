/* SPDX-License-Identifier: MIT */
#include "bench/bare.h"

#include "bare_ring.skel.h"

#include <bpf/libbpf.h>

#include <errno.h>

static int receive(void *context, void *data, size_t size)
{
    const struct bare *bare = context;

    if (size >= sizeof(struct bare_event))
        bare->each(data, bare->context);
    return 0;
}

int bare_open(struct bare *bare, bare_each *each, void *context)
{
    int err;

    bare->each = each;
    bare->context = context;
    bare->bpf = bare_ring_bpf__open();
    if (!bare->bpf)
        return -errno;
    err = bare_ring_bpf__load(bare->bpf);
    if (err < 0)
        goto destroy;
    bare->reader = ring_buffer__new(bpf_map__fd(bare->bpf->maps.ring), receive, bare, NULL);
    if (!bare->reader) {
        err = -errno;
        goto destroy;
    }
    err = bare_ring_bpf__attach(bare->bpf);
    if (err == 0)
        return 0;
    ring_buffer__free(bare->reader);
destroy:
    bare_ring_bpf__destroy(bare->bpf);
    return err;
}

void bare_close(struct bare *bare)
{
    ring_buffer__free(bare->reader);
    bare_ring_bpf__destroy(bare->bpf);
}

int bare_poll(struct bare *bare, int timeout_ms)
{
    return ring_buffer__poll(bare->reader, timeout_ms);
}
