/* SPDX-License-Identifier: MIT */
#include "bench/producer.h"

#include "linux/bpf/layout.h"
#include "linux/pins.h"

#include "rollcall.skel.h"

#include <bpf/bpf.h>

#include <err.h>
#include <stdlib.h>
#include <unistd.h>

#define AT_ONCE 50000u /* of one run of the program */

struct producer {
    struct rollcall_bpf *bpf;
};

static void share(struct bpf_map *map, const char *name, const char *pin)
{
    int fd = pins_open(name, pin);

    if (fd < 0 || bpf_map__reuse_fd(map, fd) < 0)
        errx(1, "cannot use the map '%s' of consumer '%s'", pin, name);
    close(fd);
}

/* Loads the programs so that they work on the consumer's ring; none is attached. */
struct producer *producer_open(const char *name)
{
    struct producer *producer = calloc(1, sizeof(*producer));

    if (!producer || !(producer->bpf = rollcall_bpf__open()))
        err(1, "the producer");
    share(producer->bpf->maps.ring, name, "ring");
    share(producer->bpf->maps.data_control, name, "control");
    if (rollcall_bpf__load(producer->bpf) < 0)
        errx(1, "the kernel refuses the producer");
    return producer;
}

void producer_close(struct producer *producer)
{
    rollcall_bpf__destroy(producer->bpf);
    free(producer);
}

static void produce(const struct producer *producer, uint64_t count, uint32_t first_pid)
{
    while (count > 0) {
        struct production order = {.count = count < AT_ONCE ? count : AT_ONCE,
                                   .first_pid = first_pid};
        LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &order, .ctx_size_in = sizeof(order));

        if (bpf_prog_test_run_opts(bpf_program__fd(producer->bpf->progs.produce), &opts) < 0)
            err(1, "the producer does not run");
        count -= order.count;
        first_pid += first_pid ? (uint32_t)order.count : 0;
    }
}

void producer_exits(const struct producer *producer, uint64_t count)
{
    produce(producer, count, 0);
}

void producer_processes(const struct producer *producer, uint64_t count, uint32_t first_pid)
{
    produce(producer, count, first_pid);
}
