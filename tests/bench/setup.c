#include "tests/bench/setup.h"

#include "core/base/cpu.h"
#include "core/model/trainer.h"
#include "tests/bench/bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int complain(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	return 1;
}

static int parse(struct setup *s, int argc, char **argv)
{
	static const struct option options[] = {{"threads", 1, NULL, 't'}, {"epochs", 1, NULL, 'e'},
		{"images", 1, NULL, 'i'}, {"batch", 1, NULL, 'b'}, {"level", 1, NULL, 'l'}, {"profile", 0, NULL, 'p'}, {0}};
	enum cpu_level level = cpu_best();
	optind = 1;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		int *const numbers[128] = {['t'] = &s->threads, ['e'] = &s->epochs, ['i'] = &s->images, ['b'] = &s->batch};
		if (c == 'p')
			s->profile = true;
		else if (c == 'l' ? !cpu_parse(optarg, &level) : c == '?' || (*numbers[c] = atoi(optarg)) < 1)
			return BENCH_USAGE;
	}
	if (optind != argc - 1)
		return BENCH_USAGE;
	s->what = argv[optind];
	s->kern = kern_at(level);
	return s->kern ? 0 : complain("this processor has no such level");
}

int setup_open(struct setup *ret, int argc, char **argv)
{
	struct setup s = {.threads = 2, .epochs = 3, .images = 60000, .batch = 128};
	char path[4096];
	struct err err;
	int code = parse(&s, argc, argv);
	if (code)
		return code;
	if (dataset_find("fashion-mnist", NULL, 0, path, sizeof path, &err) ||
		dataset_load(&s.data, "fashion-mnist", path, &err) || pool_open(&s.pool, s.threads, &err))
		return complain(err.message);
	*ret = s;
	return 0;
}

void setup_close(struct setup *s)
{
	pool_close(s->pool);
	dataset_put(s->data);
}

struct trainer *setup_trainer(struct setup *s, const struct workload *w, struct model *ret_model, const char *more)
{
	struct trainer *t;
	struct err err;
	if (workload_plan(ret_model, w, more, &err)) {
		complain(err.message);
		return NULL;
	}
	if (trainer_open(&t, ret_model, s->data, s->pool, s->kern, 1, &err)) {
		complain(err.message);
		model_free(ret_model);
		return NULL;
	}
	return t;
}

struct codes_job {
	const struct setup *s;
	const struct trainer *t;
	float *codes;
};

static void codes_task(void *ctx, int task, int slot)
{
	const struct codes_job *job = ctx;
	const struct model *m = job->t->m;
	enum { PIXELS = 784 };
	const size_t n = job->s->data->split[SPLIT_TRAIN].n;
	for (size_t i = (size_t)task * SPAN_IMAGES; i < n && i < (size_t)(task + 1) * SPAN_IMAGES; i += LANES) {
		float rows[LANES * PIXELS];
		size_t lanes = n - i < LANES ? n - i : LANES;
		for (size_t p = 0; p < lanes * PIXELS; p++)
			rows[p] = (float)job->s->data->split[SPLIT_TRAIN].images[i * PIXELS + p] / 255;
		m->family->encode(m, job->s->kern, job->t->w, job->t->ws[slot], rows, (int)lanes, job->codes + i * CODE_DIM);
	}
}

float *setup_codes(struct setup *s)
{
	struct model m;
	double part[RESULT_PARTS];
	size_t n = s->data->split[SPLIT_TRAIN].n;
	float *codes = malloc(n * CODE_DIM * sizeof *codes);
	struct trainer *t = setup_trainer(s, workload_find("ae"), &m, "epochs=1");
	if (!t || !codes)
		return NULL;
	for (int64_t i = 0; i < t->steps_per_epoch; i++)
		if (trainer_step(t, part, NULL))
			return NULL;
	struct codes_job job = {s, t, codes};
	pool_run(s->pool, (int)((n + SPAN_IMAGES - 1) / SPAN_IMAGES), codes_task, &job);
	trainer_close(t);
	model_free(&m);
	return codes;
}
