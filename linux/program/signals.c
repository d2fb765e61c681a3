/* SPDX-License-Identifier: MIT */
#include "program/signals.h"

#include "linux/program/signal_fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t stop;
static volatile sig_atomic_t receiver; /* the process that signals are passed on to; 0: none */
static volatile sig_atomic_t reload;
static int fd = -1;

static void on_stop(int signal)
{
    const uint64_t one = 1;
    int saved = errno;

    stop = signal;
    if (write(fd, &one, sizeof(one)) < 0)
        stop = signal;
    errno = saved;
}

int signals_install(void)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    /* Without SA_RESTART: a write that blocks is broken off. */
    struct sigaction action = {.sa_handler = on_stop};
    struct sigaction before;

    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        sigaction(stops[i], &action, &before);
        if (before.sa_handler == SIG_IGN && !receiver) /* nohup, a shell without job control */
            sigaction(stops[i], &before, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

static void on_pass_on(int signal)
{
    kill(receiver, signal);
}

void signals_pass_on(pid_t pid)
{
    struct sigaction action = {.sa_handler = on_pass_on, .sa_flags = SA_RESTART};

    receiver = pid;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

int signals_stop(void)
{
    return stop;
}

int signals_fd(void)
{
    return fd;
}

bool signals_pause(uint64_t ns)
{
    struct pollfd stop_fd = {.fd = fd, .events = POLLIN};

    return poll(&stop_fd, 1, (int)(ns / 1000000)) > 0 || stop;
}

static void on_reload(int signal)
{
    (void)signal;
    reload = true;
}

void signals_reload_by_hup(void)
{
    const struct sigaction action = {.sa_handler = on_reload};

    sigaction(SIGHUP, &action, NULL);
}

bool signals_take_reload(void)
{
    bool asked = reload;

    reload = false;
    return asked;
}
