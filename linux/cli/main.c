/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <stddef.h>

const struct command commands[] = {
    {"watch", command_watch, "show every process event, at once"},
    {"run", command_run, "run a command and show every process it starts"},
    {"record", command_record, "keep every process event in a journal"},
    {"handle", command_handle, "give events to programs, commands and logs"},
    {"query", command_query, "ask a journal"},
    {"tree", command_tree, "who started whom, now or at a moment in a journal"},
    {"stats", command_stats, "what waits, what was lost, who reads"},
    {"doctor", command_doctor, "can this machine run rollcall, and what to do if not"},
    {"detach", command_detach, "take a consumer's programs and ring out of the kernel"},
    {"bench", command_bench, "measure cost, latency, throughput and loss on this machine"},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    return command_main(argc, argv);
}
