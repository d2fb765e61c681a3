/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "windows/bench/helper.h"
#include "windows/wide.h"

#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>

const struct command commands[] = {
    {"watch", command_watch, "show every process event, at once"},
    {"run", command_run, "run a command and show every process it starts"},
    {"record", command_record, "keep every process event in a journal"},
    {"query", command_query, "ask a journal"},
    {"tree", command_tree, "who started whom, now or at a moment in a journal"},
    {"stats", command_stats, "what waits, what was lost, who reads"},
    {"doctor", command_doctor, "can this machine run rollcall, and what to do if not"},
    {"detach", command_detach, "remove a durable consumer from the driver"},
    {"bench", command_bench, "measure cost, latency, throughput and loss on this machine"},
    {"service", command_service, "install, start and stop the driver and a recorder"},
    {NULL, NULL, NULL},
};

/* Text is UTF-8 with the line ends that it has, and a console is told so. */
static void prepare_console(void)
{
    HANDLE handle = GetStdHandle(STD_ERROR_HANDLE);
    DWORD mode;

    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    SetConsoleOutputCP(CP_UTF8);
    if (GetConsoleMode(handle, &mode))
        SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

int wmain(int argc, wchar_t **wide);

int wmain(int argc, wchar_t **wide)
{
    static char name[] = "rollcall";
    int status = EXIT_FAIL;
    char **argv;

    if (helper_main(argc, wide, &status))
        return status;
    argv = calloc((size_t)argc + 1, sizeof(*argv));
    for (int i = 0; argv && i < argc; i++) {
        argv[i] = wide_to(wide[i]);
        if (!argv[i])
            goto out;
    }
    if (argv) {
        prepare_console();
        __argv[0] = name; /* what getopt's messages begin with */
        status = command_main(argc, argv);
    }
out:
    /* The arguments stay: the commands point to them until the end. */
    return status;
}
