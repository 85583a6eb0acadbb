/* Encode and decode without gradients: 10,000 rows on all threads, and one vector after the other on one. */
#include "core/base/cpu.h"
#include "core/model/trainer.h"
#include "tests/bench/bench.h"
#include "tests/bench/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 10000, ROUNDS = 15, SINGLES = 3000, PIXELS = 784, LATENT = 8 };

struct infer {
	const struct setup *s;
	const struct trainer *t;
	float *z, *images;
};

static int rows_of(int task)
{
	int left = ROWS - task * SPAN_IMAGES;
	return left < SPAN_IMAGES ? left : SPAN_IMAGES;
}

static void decode_task(void *ctx, int task, int slot)
{
	const struct infer *i = ctx;
	size_t from = (size_t)task * SPAN_IMAGES;
	model_decode(i->t->m, i->s->kern, i->t->w, i->t->ws[slot], i->z + from * LATENT, (size_t)rows_of(task),
		i->images + from * PIXELS, NULL);
}

static void encode_task(void *ctx, int task, int slot)
{
	const struct infer *i = ctx;
	size_t from = (size_t)task * SPAN_IMAGES;
	model_encode(i->t->m, i->s->kern, i->t->w, i->t->ws[slot], i->images + from * PIXELS, (size_t)rows_of(task),
		i->z + from * LATENT, NULL);
}

static int all_rows(struct infer *in, pool_fn *task)
{
	double took[ROUNDS];
	for (int i = -2; i < ROUNDS; i++) {
		double start = bench_wall_s();
		pool_run(in->s->pool, (ROWS + SPAN_IMAGES - 1) / SPAN_IMAGES, task, in);
		took[i < 0 ? 0 : i] = bench_wall_s() - start;
	}
	qsort(took, ROUNDS, sizeof *took, bench_by_value);
	printf("{\"workload\":\"%s\",\"threads\":%d,\"n\":%d,\"level\":\"%s\",\"seconds\":%.6f}\n", in->s->what,
		in->s->threads, ROWS, cpu_name(in->s->kern->level), took[ROUNDS / 2]);
	return 0;
}

static int one_by_one(struct infer *in)
{
	static double took[SINGLES];
	for (int i = -100; i < SINGLES; i++) {
		int at = i < 0 ? 0 : i;
		double start = bench_wall_s();
		model_decode(in->t->m, in->s->kern, in->t->w, in->t->ws[0], in->z + at * LATENT, 1, in->images, NULL);
		took[at] = (bench_wall_s() - start) * 1e6;
	}
	qsort(took, SINGLES, sizeof *took, bench_by_value);
	printf("{\"workload\":\"decode1\",\"level\":\"%s\",\"us_p50\":%.2f,\"us_p99\":%.2f}\n",
		cpu_name(in->s->kern->level), took[SINGLES / 2], took[SINGLES * 99 / 100]);
	return 0;
}

static int measure(struct infer *in)
{
	rng_normal(in->z, (size_t)ROWS * LATENT, (struct rng){.seed = 1, .stream = RNG_SAMPLE});
	for (size_t i = 0; i < (size_t)ROWS * PIXELS; i++)
		in->images[i] = (float)in->s->data->split[SPLIT_TEST].images[i] / 255;
	if (!strcmp(in->s->what, "decode"))
		return all_rows(in, decode_task);
	if (!strcmp(in->s->what, "encode"))
		return all_rows(in, encode_task);
	return strcmp(in->s->what, "decode1") ? BENCH_USAGE : one_by_one(in);
}

int bench_infer(int argc, char **argv)
{
	struct setup s;
	struct model m;
	int code = setup_open(&s, argc, argv);
	if (code)
		return code;
	struct infer in = {.s = &s, .t = setup_trainer(&s, workload_find("ae"), &m, "epochs=1")};
	in.z = malloc((size_t)ROWS * LATENT * sizeof *in.z);
	in.images = malloc((size_t)ROWS * PIXELS * sizeof *in.images);
	code = in.t && in.z && in.images ? measure(&in) : 1;
	free(in.z);
	free(in.images);
	if (!in.t)
		return 1;
	trainer_close((struct trainer *)in.t);
	model_free(&m);
	setup_close(&s);
	return code;
}
