/* SPDX-License-Identifier: MIT */
/* cc example.c $(pkg-config --cflags --libs rollcall) -o example && sudo ./example 10 */
#include <rollcall/rollcall.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts), .name = "example"};
    long left = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
    struct rollcall_batch batch;
    struct rollcall *rc;
    int n = 0;

    if (rollcall_open(&opts, &rc) < 0) {
        fprintf(stderr, "example: %s\n", rollcall_error());
        return 1;
    }
    while (left > 0 && (n = rollcall_next(rc, -1, &batch)) > 0) {
        const struct rollcall_event *event = NULL;

        while (left > 0 && (event = rollcall_batch_next(&batch, event)))
            left -= printf("%llu %s pid %u %.16s\n", (unsigned long long)event->seq,
                           rollcall_type_name(event->type), event->pid, event->comm) > 0;
        rollcall_ack(rc, event ? event->seq : batch.last_seq); /* not before it is safe */
    }
    rollcall_close(rc);
    return n < 0;
}
