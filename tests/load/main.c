/* SPDX-License-Identifier: MIT */
/* rollcall-load: creates processes, and writes down which. */
#include "tests/load/load.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct truth *running;

_Noreturn static void usage(void)
{
    fputs("usage: rollcall-load --workers N --count TOTAL [--mix fork,vfork,spawn,clone3]\n"
          "                     (--program PATH | --no-exec) [--out FILE] [--rate N]\n"
          "                     [--keep-alive N]\n",
          stderr);
    exit(2);
}

static uint32_t number(const char *text)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value > UINT32_MAX)
        errx(2, "'%s' is not a number from 0 to %u", text, UINT32_MAX);
    return (uint32_t)value;
}

static void stop(int signal)
{
    (void)signal;
    running->stop = 1;
}

static const struct option options[] = {
    {"workers", required_argument, NULL, 'w'},
    {"count", required_argument, NULL, 'c'},
    {"mix", required_argument, NULL, 'm'},
    {"program", required_argument, NULL, 'p'},
    {"no-exec", no_argument, NULL, 'n'},
    {"out", required_argument, NULL, 'o'},
    {"rate", required_argument, NULL, 'r'},
    {"keep-alive", required_argument, NULL, 'k'},
    {0},
};

static const char *parse(int argc, char **argv, struct load_options *opts)
{
    const char *out = NULL;
    bool no_exec = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'w':
            opts->workers = number(optarg);
            break;
        case 'c':
            opts->count = number(optarg);
            break;
        case 'm':
            opts->mix = optarg;
            break;
        case 'p':
            opts->program = optarg;
            break;
        case 'n':
            no_exec = true;
            break;
        case 'o':
            out = optarg;
            break;
        case 'r':
            opts->rate = number(optarg);
            break;
        case 'k':
            opts->keep = number(optarg);
            break;
        default:
            usage();
        }
    }
    if (optind != argc || opts->count == 0 || no_exec == (opts->program != NULL))
        usage();
    return out;
}

int main(int argc, char **argv)
{
    struct load_options opts = {.workers = 1, .mix = "fork"};
    const char *out = parse(argc, argv, &opts);
    struct load load = {0};
    int err = load_init(&load, &opts, out);

    if (err < 0)
        errx(2, "cannot begin with these options: %s", strerror(-err));
    running = load.truth;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    err = load_start(&load, &opts);
    if (err < 0)
        warnx("cannot create the workers: %s", strerror(-err));
    else
        err = load_wait(&load);
    printf("%u\n", truth_made(load.truth));
    load_end(&load);
    return err < 0;
}
