/* Whole training steps of a workload on Fashion-MNIST, as many threads as asked for: seconds per epoch of 60,000 images. */
#include "core/base/cpu.h"
#include "core/model/trainer.h"
#include "tests/bench/bench.h"
#include "tests/bench/profile.h"
#include "tests/bench/setup.h"

#include <stdio.h>
#include <stdlib.h>

enum { EPOCHS_MAX = 100, WARM_STEPS = 20 };
static const double all_images = 60000;

/* The same loops on every thread of the pool at once: turbo and shared units included. */
struct peak {
	const struct kern *kern;
	double *gflops;
};

static void peak_task(void *ctx, int task, int slot)
{
	(void)slot;
	struct peak *p = ctx;
	p->gflops[task] = bench_peak_gflops(p->kern);
}

static double peak_of(struct setup *s)
{
	double gflops[256] = {0}, sum = 0;
	struct peak p = {s->kern, gflops};
	pool_run(s->pool, s->threads < 256 ? s->threads : 256, peak_task, &p);
	for (int i = 0; i < 256; i++)
		sum += gflops[i];
	return sum;
}

/* Seconds of one epoch; adds the sum of part 0 to *ret_loss. Negative after a line on stderr. */
static double epoch(struct trainer *t, int64_t steps, double *ret_loss)
{
	double part[RESULT_PARTS], start = bench_wall_s();
	*ret_loss = 0;
	for (int64_t i = 0; i < steps; i++) {
		struct err err;
		if (trainer_step(t, part, &err)) {
			fprintf(stderr, "bench: %s\n", err.message);
			return -1;
		}
		*ret_loss += part[0];
	}
	return bench_wall_s() - start;
}

static void report(
	struct setup *s, const struct workload *w, const struct trainer *t, double *runs, int n, double peak, double loss)
{
	double sorted[EPOCHS_MAX];
	for (int i = 0; i < n; i++)
		sorted[i] = runs[i];
	qsort(sorted, (size_t)n, sizeof *sorted, bench_by_value);
	double median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
	double gflops = model_train_flops(t->m) * all_images / median * 1e-9;
	printf(
		"{\"workload\":\"%s\",\"threads\":%d,\"batch\":%zu,\"level\":\"%s\",\"images\":%zu,\"seconds\":%.4f,\"runs\":[",
		w->name, s->threads, t->batch, cpu_name(s->kern->level), t->trains, median);
	for (int i = 0; i < n; i++)
		printf("%s%.4f", i ? "," : "", runs[i]);
	printf("],\"gflops\":%.1f,\"peak_gflops\":%.1f", gflops, peak);
	if (peak > 0)
		printf(",\"peak_share\":%.3f", gflops / peak);
	printf(",\"bytes\":%zu,\"loss\":%.6g}\n", trainer_bytes(t->m, t->data, s->threads), loss);
}

static int measure(struct setup *s, const struct workload *w, struct trainer *t)
{
	double runs[EPOCHS_MAX], loss = 0, peak = peak_of(s);
	int64_t steps = (int64_t)t->trains / (int64_t)t->batch;
	if (epoch(t, steps < WARM_STEPS ? steps : WARM_STEPS, &loss) < 0)
		return 1;
	t->step = 0; /* epochs are whole */
	for (int e = 0; e < s->epochs; e++) {
		double took = epoch(t, t->steps_per_epoch, &loss);
		if (took < 0)
			return 1;
		runs[e] = took * all_images / (double)t->trains;
	}
	report(s, w, t, runs, s->epochs, peak, loss / (double)t->trains);
	if (s->profile)
		profile_layers(t, peak / s->threads);
	return 0;
}

int bench_train(int argc, char **argv)
{
	struct setup s;
	int code = setup_open(&s, argc, argv);
	const struct workload *w = code ? NULL : workload_find(s.what);
	if (code || !w || s.epochs > EPOCHS_MAX)
		return code ? code : BENCH_USAGE;
	char more[128];
	snprintf(more, sizeof more, "epochs=%d batch_size=%d train_limit=%d", s.epochs, s.batch, s.images);
	struct model m;
	float *codes = w->codes ? setup_codes(&s) : NULL;
	struct trainer *t = w->codes && !codes ? NULL : setup_trainer(&s, w, &m, more);
	if (!t)
		return 1;
	trainer_features(t, codes);
	code = measure(&s, w, t);
	trainer_close(t);
	model_free(&m);
	free(codes);
	setup_close(&s);
	return code;
}
