/* SPDX-License-Identifier: MIT */
/* `rollcall bench`: what rollcall costs, how fast it is and whether it loses, on this machine. */
#include "bench/figures.h"
#include "bench/floor.h"
#include "bench/measure.h"
#include "bench/work.h"
#include "cli/command.h"
#include "program/complain.h"
#include "program/parse.h"

#include <rollcall/rollcall.h>

#include <jansson.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_MAX    1000u
#define SAMPLES_MAX   1000000u
#define PROCESSES_MAX 1000000u
#define SECONDS_MAX   3600u

enum part { COST = 1 << 0, LATENCY = 1 << 1, THROUGHPUT = 1 << 2, LOSS = 1 << 3 };
#define ALL (COST | LATENCY | THROUGHPUT | LOSS)

static const struct {
    const char *name;
    unsigned part;
} parts[] = {{"cost", COST}, {"latency", LATENCY}, {"throughput", THROUGHPUT}, {"loss", LOSS}};

struct settings {
    unsigned parts;
    uint64_t rounds;
    uint64_t run_ns;
    uint64_t samples;
    uint64_t processes;
    bool json;
    bool help;
};

struct cost {
    struct figures without; /* processes per second */
    struct figures with;
    struct figures ratio; /* of the two in each round */
};

struct results {
    struct cost costs[WORK_KINDS_MAX]; /* of each of work_kinds */
    struct figures idle;               /* nanoseconds */
    struct figures burst;
    struct figures floor;
    struct figures throughput; /* events per second */
    struct measure_burst loss;
};

/* ---- measuring ---- */

__attribute__((format(printf, 1, 2))) static void progress(const char *format, ...)
{
    va_list args;

    if (!isatty(STDERR_FILENO))
        return;
    fputs("\r\033[K", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fflush(stderr);
}

static bool failed(void)
{
    complain("%s", rollcall_error());
    return false;
}

static void *numbers(uint64_t count)
{
    void *memory = calloc(count, sizeof(double));

    if (!memory)
        complain("out of memory");
    return memory;
}

static bool measure_cost(const struct settings *settings, const struct work_kind *kind,
                         double *values, struct cost *cost)
{
    size_t rounds = settings->rounds;
    double *without = values;
    double *with = values + rounds;
    double *ratio = values + 2 * rounds;

    for (size_t i = 0; i < rounds; i++) {
        progress("cost of %s: round %zu of %zu", kind->name, i + 1, rounds);
        if (measure_rate(kind->exec, settings->run_ns, false, &without[i]) < 0 ||
            measure_rate(kind->exec, settings->run_ns, true, &with[i]) < 0)
            return failed();
        ratio[i] = with[i] / without[i];
    }
    figures_of(without, rounds, &cost->without);
    figures_of(with, rounds, &cost->with);
    figures_of(ratio, rounds, &cost->ratio);
    return true;
}

static bool measure_costs(const struct settings *settings, struct results *results)
{
    double *values = numbers(3 * settings->rounds);
    bool ok = values;

    for (size_t i = 0; ok && work_kinds[i].name; i++)
        ok = measure_cost(settings, &work_kinds[i], values, &results->costs[i]);
    free(values);
    return ok;
}

static bool measure_floor(uint64_t *ns, size_t count)
{
    int err;

    progress("latency: %s, for comparison", floor_words.name);
    err = floor_measure(ns, count, MEASURE_PAUSE_NS);
    if (err < 0)
        complain("cannot measure %s: %s", floor_words.name, strerror(-err));
    return err == 0;
}

static bool measure_delay(bool burst, uint64_t *ns, size_t count)
{
    progress("latency: %s", burst ? "burst" : "idle");
    return measure_latency(NULL, burst, ns, count) == 0 || failed();
}

static void figures_of_ns(const uint64_t *ns, double *values, size_t count, struct figures *figures)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (double)ns[i];
    figures_of(values, count, figures);
}

static bool measure_latencies(const struct settings *settings, struct results *results)
{
    size_t count = settings->samples;
    uint64_t *ns = numbers(count);
    double *values = numbers(count);
    bool ok = ns && values && measure_floor(ns, count);

    if (ok) {
        figures_of_ns(ns, values, count, &results->floor);
        ok = measure_delay(false, ns, count);
    }
    if (ok) {
        figures_of_ns(ns, values, count, &results->idle);
        ok = measure_delay(true, ns, count);
    }
    if (ok)
        figures_of_ns(ns, values, count, &results->burst);
    free(values);
    free(ns);
    return ok;
}

static bool measure_throughput(const struct settings *settings, struct results *results)
{
    double *rates = numbers(settings->rounds);

    if (!rates)
        return false;
    for (size_t i = 0; i < settings->rounds; i++) {
        struct measure_burst burst;

        progress("throughput: round %zu of %" PRIu64, i + 1, settings->rounds);
        if (measure_burst(false, settings->processes, &burst) < 0) {
            free(rates);
            return failed();
        }
        rates[i] = burst.rate;
    }
    figures_of(rates, settings->rounds, &results->throughput);
    free(rates);
    return true;
}

static bool measure_loss(const struct settings *settings, struct results *results)
{
    progress("loss: %" PRIu64 " processes while nobody reads", settings->processes);
    return measure_burst(true, settings->processes, &results->loss) == 0 || failed();
}

static bool measure(const struct settings *settings, struct results *results)
{
    bool ok = (!(settings->parts & COST) || measure_costs(settings, results)) &&
              (!(settings->parts & LATENCY) || measure_latencies(settings, results)) &&
              (!(settings->parts & THROUGHPUT) || measure_throughput(settings, results)) &&
              (!(settings->parts & LOSS) || measure_loss(settings, results));

    progress("%s", "");
    return ok;
}

/* ---- as a table ---- */

static void print_rates(const char *name, const struct figures *rates)
{
    printf("  %-22s %12.0f  (%.0f .. %.0f)\n", name, rates->median, rates->min, rates->max);
}

static void print_cost(const char *name, const struct cost *cost)
{
    print_rates(name, &cost->without);
    print_rates("  with a reader", &cost->with);
    printf("  %-22s %11.1f%%  (%.1f .. %.1f)\n", "  that is", cost->ratio.median * 100,
           cost->ratio.min * 100, cost->ratio.max * 100);
}

static void print_delays(const char *name, const struct figures *ns)
{
    printf("  %-22s %12.1f %12.1f %12.1f\n", name, ns->median / 1000, ns->p99 / 1000,
           ns->max / 1000);
}

static void print_table(const struct settings *settings, const struct results *results)
{
    if (settings->parts & COST) {
        printf("cost: processes per second of %u workers, median of %" PRIu64 " rounds (range)\n",
               MEASURE_WORKERS, settings->rounds);
        for (size_t i = 0; work_kinds[i].name; i++)
            print_cost(work_kinds[i].name, &results->costs[i]);
    }
    if (settings->parts & LATENCY) {
        printf("latency: from the kernel to the reader, microseconds\n  %-22s %12s %12s %12s\n", "",
               "median", "99 %", "max");
        print_delays("one process each 10 ms", &results->idle);
        print_delays("processes in a burst", &results->burst);
        print_delays(floor_words.row, &results->floor);
    }
    if (settings->parts & THROUGHPUT) {
        printf("throughput: events per second, read after a burst (range)\n");
        print_rates("", &results->throughput);
    }
    if (settings->parts & LOSS) {
        printf("loss: a burst of %" PRIu64 " processes while nobody reads\n", settings->processes);
        printf("  %-22s %12" PRIu64 "\n  %-22s %12" PRIu64 "\n  %-22s %12" PRIu64 "\n",
               "events that must come", results->loss.expected, "events that came",
               results->loss.seen, "events lost", results->loss.lost);
    }
}

/* ---- as JSON ---- */

static json_t *json_figures(const struct figures *figures)
{
    return json_pack("{s:I, s:f, s:f, s:f, s:f}", "count", (json_int_t)figures->count, "min",
                     figures->min, "median", figures->median, "p99", figures->p99, "max",
                     figures->max);
}

static json_t *json_cost(const struct cost *cost)
{
    return json_pack("{s:o, s:o, s:o}", "without", json_figures(&cost->without), "with",
                     json_figures(&cost->with), "ratio", json_figures(&cost->ratio));
}

static json_t *json_costs(const struct cost *costs)
{
    json_t *all = json_object();

    for (size_t i = 0; work_kinds[i].name; i++)
        json_object_set_new(all, work_kinds[i].key, json_cost(&costs[i]));
    return all;
}

static json_t *json_results(const struct settings *settings, const struct results *results)
{
    json_t *all = json_object();

    if (settings->parts & COST)
        json_object_set_new(all, "cost", json_costs(results->costs));
    if (settings->parts & LATENCY)
        json_object_set_new(all, "latency_ns",
                            json_pack("{s:o, s:o, s:o}", "idle", json_figures(&results->idle),
                                      "burst", json_figures(&results->burst), floor_words.key,
                                      json_figures(&results->floor)));
    if (settings->parts & THROUGHPUT)
        json_object_set_new(all, "throughput", json_figures(&results->throughput));
    if (settings->parts & LOSS)
        json_object_set_new(
            all, "loss",
            json_pack("{s:I, s:I, s:I, s:I}", "processes", (json_int_t)settings->processes,
                      "expected", (json_int_t)results->loss.expected, "seen",
                      (json_int_t)results->loss.seen, "lost", (json_int_t)results->loss.lost));
    return all;
}

static bool print_json(const struct settings *settings, const struct results *results)
{
    json_t *all = json_results(settings, results);
    bool ok = all && json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0;

    json_decref(all);
    return ok && putchar('\n') != EOF;
}

/* ---- the command ---- */

static void help(FILE *to)
{
    fputs("What rollcall costs, how fast it is and whether it loses, on this machine; needs root.\n"
          "\n"
          "usage: rollcall bench [OPTION...]\n"
          "\n"
          "  -j, --json            print JSON\n"
          "      --only PART,...   of cost, latency, throughput, loss (default: all)\n"
          "      --processes N     processes in a burst that nobody reads (default 20000)\n"
          "      --rounds N        rounds of cost and throughput (default 5)\n"
          "      --samples N       processes whose latency is measured (default 500)\n"
          "      --seconds S       length of a round of cost (default 1)\n"
          "  -h, --help            this text\n"
          "\n"
          "On Linux processes are forked, with and without an exec, and latency is compared with\n"
          "that of an eventfd; on Windows each runs `cmd.exe /d /c exit`, and it is that of an\n"
          "event object.\n",
          to);
}

static unsigned part_named(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (strlen(parts[i].name) == size && memcmp(parts[i].name, name, size) == 0)
            return parts[i].part;
    return 0;
}

static int parse_parts(const char *text, unsigned *chosen)
{
    *chosen = 0;
    for (;;) {
        size_t size = strcspn(text, ",");
        unsigned part = part_named(text, size);

        if (part == 0)
            return complain_usage("--only takes some of cost,latency,throughput,loss, not '%.*s'",
                                  (int)size, text);
        *chosen |= part;
        text += size;
        if (!*text)
            return EXIT_OK;
        text++;
    }
}

static int parse_count(const char *option, const char *text, uint64_t max, uint64_t *value)
{
    uint64_t number;

    if (!parse_number(text, max, &number) || number == 0)
        return complain_usage("--%s takes a number from 1 to %" PRIu64 ", not '%s'", option, max,
                              text);
    *value = number;
    return EXIT_OK;
}

static int parse_seconds(const char *text, uint64_t *ns)
{
    uint64_t value;

    if (!parse_duration(text, &value) || value == 0 || value > SECONDS_MAX * 1000000000ull)
        return complain_usage("--seconds takes a time up to an hour, not '%s'", text);
    *ns = value;
    return EXIT_OK;
}

enum { ONLY = 1000, PROCESSES, ROUNDS, SAMPLES, SECONDS };

static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                        {"only", required_argument, NULL, ONLY},
                                        {"processes", required_argument, NULL, PROCESSES},
                                        {"rounds", required_argument, NULL, ROUNDS},
                                        {"samples", required_argument, NULL, SAMPLES},
                                        {"seconds", required_argument, NULL, SECONDS},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};

static int take_option(int option, struct settings *settings)
{
    switch (option) {
    case 'j':
        settings->json = true;
        return EXIT_OK;
    case ONLY:
        return parse_parts(optarg, &settings->parts);
    case PROCESSES:
        return parse_count("processes", optarg, PROCESSES_MAX, &settings->processes);
    case ROUNDS:
        return parse_count("rounds", optarg, ROUNDS_MAX, &settings->rounds);
    case SAMPLES:
        return parse_count("samples", optarg, SAMPLES_MAX, &settings->samples);
    case SECONDS:
        return parse_seconds(optarg, &settings->run_ns);
    case 'h':
        settings->help = true;
        return EXIT_OK;
    default:
        return complain_hint();
    }
}

static int report(const struct settings *settings, const struct results *results)
{
    bool ok = true;

    if (settings->json)
        ok = print_json(settings, results);
    else
        print_table(settings, results);
    if (fflush(stdout) != 0 || !ok) {
        complain("cannot write the results: %s", strerror(errno));
        return EXIT_FAIL;
    }
    if (results->loss.seen == results->loss.expected)
        return EXIT_OK;
    complain("%" PRIu64 " events of the burst did not come, the ring was too small for them: use "
             "fewer --processes",
             results->loss.expected - results->loss.seen);
    return EXIT_FAIL;
}

static int take_options(struct settings *settings, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
        int status = take_option(option, settings);

        if (status != EXIT_OK || settings->help)
            return status;
    }
    if (optind < argc)
        return complain_usage("'%s' is too much: bench takes only options", argv[optind]);
    return EXIT_OK;
}

int command_bench(int argc, char **argv)
{
    struct settings settings = {
        .parts = ALL, .rounds = 5, .run_ns = 1000000000, .samples = 500, .processes = 20000};
    struct results results = {0};
    int status = take_options(&settings, argc, argv);

    if (status != EXIT_OK)
        return status;
    if (settings.help) {
        help(stdout);
        return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAIL;
    }
    if (!measure(&settings, &results))
        return EXIT_FAIL;
    return report(&settings, &results);
}
