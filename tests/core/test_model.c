/* SPDX-License-Identifier: MIT */
/*
 * test_core_model [--seed N] [--steps N] [--trial N]: random steps on an engine beside the model of
 * it. Without --seed a random one is taken. What fails is made as short as it can be while it still
 * fails, and printed: one step a line.
 */
#include "tests/core/check.h"
#include "tests/core/trial.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEPS_MAX 3000u /* of one trial */
#define LIMIT_S   60u   /* a trial that takes longer hangs */
#define SHRINK_S  2u    /* the same while it is made shorter, so that this has an end */

static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                        {"steps", required_argument, NULL, 'n'},
                                        {"trial", required_argument, NULL, 't'},
                                        {0}};

/* What whoever does the steps tells whoever waits for it, also by its death. */
struct progress {
    uint64_t trial;
    unsigned step;
    uint64_t steps;
    uint64_t refused; /* so that it can be seen that the rare happens */
    uint64_t given_up;
};

struct scenario {
    struct step_setting setting;
    struct step steps[STEPS_MAX];
    unsigned count;
};

static struct progress *progress;
static struct scenario scenario;
static struct trial trial;
static unsigned limit_s = LIMIT_S;

static void make_scenario(uint64_t seed, uint64_t number)
{
    struct random random = {.state = seed};

    random.state = random_next(&random) + number;
    scenario.count = steps_make(&random, &scenario.setting, scenario.steps, STEPS_MAX);
}

static void run_scenario(void)
{
    alarm(limit_s);
    trial_begin(&trial, &scenario.setting);
    for (unsigned i = 0; i < scenario.count; i++) {
        progress->step = i;
        trial_step(&trial, &scenario.steps[i]);
    }
    progress->refused += trial.stats.denied;
    progress->given_up += trial.model.given_up;
    progress->steps += scenario.count;
    trial_end(&trial);
    alarm(0);
}

/* Whether it fails, in a process of its own. */
static bool fails(void (*run)(void), bool quiet)
{
    pid_t pid;
    int status;

    fflush(stdout);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (quiet)
            CHECK(freopen("/dev/null", "w", stderr));
        run();
        exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status != 0;
}

/* Leaves out `count` steps from `at` on; if nothing fails any more they come back. */
static bool fails_without(unsigned at, unsigned count)
{
    static struct step before[STEPS_MAX];
    const unsigned all = scenario.count;

    memcpy(before, scenario.steps, all * sizeof(*before));
    memmove(&scenario.steps[at], &scenario.steps[at + count],
            (all - at - count) * sizeof(*scenario.steps));
    scenario.count = all - count;
    if (fails(run_scenario, true))
        return true;
    memcpy(scenario.steps, before, all * sizeof(*before));
    scenario.count = all;
    return false;
}

static void shrink(void)
{
    unsigned count;

    /* What comes after the failure is not needed. */
    if (fails(run_scenario, true))
        scenario.count = progress->step + 1;
    for (count = scenario.count / 2; count > 0; count /= 2)
        for (unsigned at = 0; at + count <= scenario.count;)
            at += fails_without(at, count) ? 0 : count;
    for (unsigned at = 0; at < scenario.count;)
        at = fails_without(at, 1) ? 0 : at + 1;
}

static void explain(uint64_t seed)
{
    unsigned all;

    make_scenario(seed, progress->trial);
    all = scenario.count;
    limit_s = SHRINK_S;
    shrink();
    printf("seed %" PRIu64 ", trial %" PRIu64 ": of its %u steps these fail (--seed %" PRIu64
           " --trial %" PRIu64 " does it again)\n",
           seed, progress->trial, all, seed, progress->trial);
    printf("     budget %" PRIu64 "%s\n", scenario.setting.budget,
           scenario.setting.deny ? ", deny" : "");
    for (unsigned i = 0; i < scenario.count; i++) {
        printf("%4u ", i + 1);
        step_print(stdout, &scenario.steps[i]);
    }
    fails(run_scenario, false);
}

/* ---- the command ---- */

static struct {
    uint64_t seed;
    uint64_t steps;
    uint64_t trial;
    bool only_one;
} arguments = {.steps = 200000};

static void run_all(void)
{
    uint64_t number = arguments.trial;

    do {
        progress->trial = number;
        make_scenario(arguments.seed, number++);
        run_scenario();
    } while (!arguments.only_one && progress->steps < arguments.steps);
}

static bool parse(int argc, char **argv)
{
    int option;

    arguments.seed = (uint64_t)time(NULL) * 1000003u ^ (uint64_t)getpid();
    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        if (option == 's')
            arguments.seed = strtoull(optarg, NULL, 10);
        else if (option == 'n')
            arguments.steps = strtoull(optarg, NULL, 10);
        else if (option == 't')
            arguments.trial = strtoull(optarg, NULL, 10);
        else
            return false;
        arguments.only_one = arguments.only_one || option == 't';
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    const struct rlimit no_core = {0};

    if (!parse(argc, argv)) {
        fputs("usage: test_core_model [--seed N] [--steps N] [--trial N]\n", stderr);
        return 2;
    }
    setrlimit(RLIMIT_CORE, &no_core);
    progress =
        mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(progress != MAP_FAILED);
    printf("seed %" PRIu64 "\n", arguments.seed);
    if (fails(run_all, false)) {
        explain(arguments.seed);
        return 1;
    }
    printf("%" PRIu64 " steps agree; %" PRIu64 " processes refused, %" PRIu64 " events given up\n",
           progress->steps, progress->refused, progress->given_up);
    return 0;
}
