/* SPDX-License-Identifier: MIT */
/*
 * A program of a handler. It takes a second to analyse an event, works on all at once that it has,
 * and answers each in its turn; what it has analysed it writes into a file.
 *
 *     cc slow-analysis.c -o slow-analysis
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TAKES_MS 1000
#define MOST     300 /* `window` of the handler: it never gives more at once */

/* An event that is being analysed, until then. */
static struct {
    uint64_t epoch;
    uint64_t seq;
    int64_t until_ms;
} work[MOST];
static unsigned first, count;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* In JSON a quote inside of a text has a backslash before it, so this finds the member. */
static uint64_t member(const char *line, const char *name)
{
    const char *found = strstr(line, name);

    if (!found)
        errx(1, "no %s in: %s", name, line);
    return strtoull(found + strlen(name), NULL, 10);
}

static void begin_work(const char *line)
{
    unsigned at = (first + count++) % MOST;

    if (count > MOST)
        errx(1, "more than %d events at once", MOST);
    work[at].epoch = member(line, "\"epoch\":");
    work[at].seq = member(line, "\"seq\":");
    work[at].until_ms = now_ms() + TAKES_MS;
}

/* Takes the whole lines of what has come; returns how many bytes are left of one. */
static size_t take_lines(char *text, size_t size)
{
    char *line = text;
    char *end;

    while ((end = memchr(line, '\n', size - (size_t)(line - text)))) {
        *end = '\0';
        begin_work(line);
        line = end + 1;
    }
    size -= (size_t)(line - text);
    memmove(text, line, size);
    return size;
}

/* First what was found is safe, then it is answered. */
static void end_work(FILE *file)
{
    unsigned done = 0;

    for (; done < count && work[(first + done) % MOST].until_ms <= now_ms(); done++)
        fprintf(file, "%" PRIu64 " %" PRIu64 "\n", work[(first + done) % MOST].epoch,
                work[(first + done) % MOST].seq);
    if (done == 0)
        return;
    if (fflush(file) != 0 || fdatasync(fileno(file)) < 0)
        err(1, "cannot write what was analysed");
    first = (first + done - 1) % MOST;
    printf("%" PRIu64 " %" PRIu64 "\n", work[first].epoch, work[first].seq);
    fflush(stdout);
    first = (first + 1) % MOST;
    count -= done;
}

static int wait_ms(void)
{
    int64_t left = count ? work[first].until_ms - now_ms() : -1;

    return count && left < 0 ? 0 : (int)left;
}

int main(int argc, char **argv)
{
    FILE *file = fopen(argc > 1 ? argv[1] : "/dev/null", "a");
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    size_t room = 1 << 20;
    size_t size = 0;
    char *text = malloc(room);

    if (!file || !text)
        err(1, "cannot begin");
    while (input.fd >= 0 || count > 0) {
        ssize_t n = 0;

        if (poll(&input, 1, wait_ms()) < 0 && errno != EINTR)
            err(1, "poll");
        if (input.fd >= 0 && input.revents) {
            if (size == room && !(text = realloc(text, room *= 2)))
                err(1, "a line has no room");
            n = read(STDIN_FILENO, text + size, room - size);
            if (n <= 0)
                input.fd = -1; /* no more are given: what there is is done */
            else
                size = take_lines(text, size + (size_t)n);
        }
        end_work(file);
    }
    free(text);
    fclose(file);
    return 0;
}
