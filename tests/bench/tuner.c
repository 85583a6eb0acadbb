/* The tuner's samplers: what a suggestion costs, and a driver that tests/bench/tuner.py asks and tells, a line each. */
#include "core/lab/sampler.h"
#include "tests/bench/bench.h"
#include "tests/core/lab/objectives.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS_MAX = 10000, COST_TRIALS = 100, COST_ROUNDS = 500 };

/* As a search of six parameters is: two rates, a kernel, a width, a share, an activation. */
static const struct objective net = {"net", NULL, 0, 6,
	{{.name = "lr", .log = true, .low = BOUND_AT(1e-5), .high = BOUND_AT(1e-1)},
		{.name = "weight_decay", .log = true, .low = BOUND_AT(1e-7), .high = BOUND_AT(1e-1)},
		{.name = "kernel", .type = DIM_INT, .low = BOUND_AT(2), .high = BOUND_AT(6)},
		{.name = "hidden", .type = DIM_INT, .low = BOUND_AT(8), .high = BOUND_AT(512)},
		{.name = "dropout", .low = BOUND_AT(0), .high = BOUND_AT(0.5)},
		{.name = "activation", .type = DIM_CATEGORICAL, .choices = 4}}};

static const struct {
	const char *name;
	struct sampler_options o;
} samplers[] = {
	{"random", {.sampler = SAMPLER_RANDOM, .n_startup = 10, .candidates = 24}},
	{"tpe", {.sampler = SAMPLER_TPE, .n_startup = 10, .candidates = 24}},
	{"multivariate", {.sampler = SAMPLER_TPE, .multivariate = true, .group = true, .n_startup = 10, .candidates = 24}},
};
enum { SAMPLERS = sizeof samplers / sizeof *samplers };

struct study {
	struct space *s;
	struct sampler_options o;
	struct trial_record *history;
	double *x;
	int n;
};

static void study_open(struct study *st, const struct objective *f, struct sampler_options o, int trials)
{
	*st = (struct study){.s = objective_space(f), .o = o};
	st->history = calloc((size_t)trials, sizeof *st->history);
	st->x = calloc((size_t)(trials * f->dims), sizeof *st->x);
}

static void study_close(struct study *st)
{
	free(st->s);
	free(st->history);
	free(st->x);
}

static double *ask(struct study *st)
{
	double *x = st->x + st->n * st->s->n;
	struct err err = {0};
	if (sampler_suggest(st->s, &st->o, st->history, st->n, st->n, x, &err)) {
		fprintf(stderr, "bench: %s\n", err.message);
		exit(1);
	}
	return x;
}

static void tell(struct study *st, double *x, double value)
{
	st->history[st->n++] = (struct trial_record){.state = TRIAL_COMPLETE, .value = value, .x = x};
}

/* --- the driver: a point out, its value in --- */

static int drive(const struct objective *f, struct sampler_options o, int trials)
{
	struct study st;
	int code = 0;
	study_open(&st, f, o, trials);
	while (st.n < trials && code == 0) {
		double *x = ask(&st), value;
		for (int i = 0; i < f->dims; i++)
			printf("%.17g%c", x[i], i < f->dims - 1 ? ' ' : '\n');
		fflush(stdout);
		code = scanf("%lf", &value) == 1 ? 0 : 1;
		tell(&st, x, value);
	}
	study_close(&st);
	return code;
}

/* --- the cost --- */

/* Seconds of the suggestion after COST_TRIALS trials, median over histories of searches. */
static void cost(const struct objective *f, const char *name, struct sampler_options o)
{
	double seconds[COST_ROUNDS];
	for (int round = 0; round < COST_ROUNDS; round++) {
		struct study st;
		o.seed = (uint64_t)round;
		study_open(&st, f, o, COST_TRIALS + 1);
		st.o.sampler = round % 2 ? SAMPLER_RANDOM : o.sampler; /* spread, and narrowed down by the search itself */
		while (st.n < COST_TRIALS) {
			double *x = ask(&st);
			tell(&st, x, f->value ? f->value(x) : mixed((double[]){x[0], x[1], x[2], (double)((int)x[5] % 3)}));
		}
		st.o.sampler = o.sampler;
		ask(&st);
		const double began = bench_cpu_s();
		ask(&st);
		seconds[round] = bench_cpu_s() - began;
		study_close(&st);
	}
	qsort(seconds, COST_ROUNDS, sizeof *seconds, bench_by_value);
	printf(
		"{\"bench\":\"tuner\",\"space\":\"%s\",\"dims\":%d,\"sampler\":\"%s\",\"trials\":%d,\"seconds\":%.3g,\"p90\":%.3g}\n",
		f->name, f->dims, name, COST_TRIALS, seconds[COST_ROUNDS / 2], seconds[COST_ROUNDS * 9 / 10]);
}

int bench_tuner(int argc, char **argv)
{
	if (argc == 1) {
		for (int i = 0; i < SAMPLERS; i++) {
			cost(&net, samplers[i].name, samplers[i].o);
			cost(&objectives[1], samplers[i].name, samplers[i].o);
		}
		return 0;
	}
	if (argc != 5)
		return BENCH_USAGE;
	const int trials = atoi(argv[4]);
	for (const struct objective *f = objectives; f->name; f++)
		for (int i = 0; i < SAMPLERS; i++)
			if (!strcmp(f->name, argv[1]) && !strcmp(samplers[i].name, argv[2]) && trials > 0 && trials <= TRIALS_MAX) {
				struct sampler_options o = samplers[i].o;
				o.seed = strtoull(argv[3], NULL, 10);
				return drive(f, o, trials);
			}
	return BENCH_USAGE;
}
