/* SPDX-License-Identifier: MIT */
#include "linux/exit_hook.h"

#include <bpf/btf.h>

#include <stddef.h>

#define PARAMETERS 3 /* the tracepoint's own, the thread, and whether it is the last one */

bool exit_hook_names_last(const struct btf *btf)
{
    const struct btf_type *type = NULL;
    int id =
        btf ? btf__find_by_name_kind(btf, "btf_trace_sched_process_exit", BTF_KIND_TYPEDEF) : -1;

    /* A typedef of a pointer to a function. */
    for (int i = 0; id > 0 && i < 3; i++) {
        type = btf__type_by_id(btf, (__u32)id);
        id = type ? (int)type->type : -1;
    }
    return type && btf_is_func_proto(type) && btf_vlen(type) >= PARAMETERS;
}
