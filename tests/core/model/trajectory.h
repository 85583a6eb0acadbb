/* trajectory.h: PyTorch's trajectories of tests/golden/trajectory.py, read, started from and compared with; the formulas are
 * explained there.
 *
 * Use: trajectory_open a file, trajectory_start a state whose tensors are named as in it (point them at a trainer's weights
 * and running statistics), take the steps, then assert_loss each and assert_end at the end.
 */
#ifndef LATENTD_TESTS_CORE_MODEL_TRAJECTORY_H
#define LATENTD_TESTS_CORE_MODEL_TRAJECTORY_H

#include "api/safetensors.h"

#include "tests/core/golden_file.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

/* How much farther than PyTorch in float one may be from PyTorch in double, beside a floor. */
static const double trajectory_slack = 4, trajectory_loss_floor = 1e-5, trajectory_floor = 1e-5;

enum { TRAJECTORY_TENSORS_MAX = 64, TRAJECTORY_SAMPLE = 1024 };

struct trajectory {
	void *bytes;
	struct safetensors file;
	char names[4096];                           /* cut into: */
	const char *tensor[TRAJECTORY_TENSORS_MAX]; /* in the order that their numbers count */
	int tensors, batch;
	const char *run; /* "sgd" or "adam" */
};

static inline const struct tensor *trajectory_need(const struct trajectory *t, const char *name)
{
	char whole[128];
	snprintf(whole, sizeof whole, "%s.%s", t->run, name);
	const struct tensor *found = state_find(&t->file.state, whole);
	if (!found)
		fail_msg("no tensor %s", whole);
	return found;
}

static inline void trajectory_text(const struct trajectory *t, const char *key, char *text, size_t size)
{
	if (!safetensors_metadata(&t->file, key, text, size))
		fail_msg("no metadata %s", key);
}

static inline double trajectory_number(const struct trajectory *t, const char *key)
{
	char text[64];
	trajectory_text(t, key, text, sizeof text);
	return strtod(text, NULL);
}

/* `net` is "ae", "vae", …; run from the top of the source tree. */
static inline void trajectory_open(struct trajectory *t, const char *net, const char *run)
{
	char path[128];
	struct err err = {0};
	snprintf(path, sizeof path, "tests/golden/trajectory_%s.safetensors", net);
	size_t size;
	*t = (struct trajectory){.run = run};
	t->bytes = read_whole(path, &size);
	if (safetensors_read(&t->file, t->bytes, size, &err))
		fail_msg("%s: %s", path, err.message);
	trajectory_text(t, "tensors", t->names, sizeof t->names);
	for (char *rest = t->names, *name; (name = strtok_r(rest, " ", &rest));) {
		assert_true(t->tensors < TRAJECTORY_TENSORS_MAX);
		t->tensor[t->tensors++] = name;
	}
	t->batch = (int)trajectory_number(t, "batch");
}

static inline void trajectory_close(struct trajectory *t)
{
	safetensors_free(&t->file);
	free(t->bytes);
}

static inline int trajectory_steps(const struct trajectory *t)
{
	return (int)trajectory_need(t, "losses")->shape[0];
}

/* Position of a tensor among the file's, which its weights and its norms go by. */
static inline int trajectory_position(const struct trajectory *t, const char *name)
{
	for (int i = 0; i < t->tensors; i++)
		if (!strcmp(t->tensor[i], name))
			return i;
	fail_msg("PyTorch's net has no tensor %s", name);
	return -1;
}

static inline float trajectory_weight(int tensor, size_t element, size_t fan)
{
	uint64_t h = (((uint64_t)tensor << 32) + element + 1) * UINT64_C(0x9E3779B97F4A7C15);
	h = (h ^ h >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	h = (h ^ h >> 27) * UINT64_C(0x94D049BB133111EB);
	h ^= h >> 31;
	return (float)(((double)(h >> 40) * 0x1p-23 - 1) * (1 / sqrt((double)fan)));
}

static inline bool trajectory_ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n >= m && !strcmp(name + n - m, end);
}

static inline size_t trajectory_count(const struct tensor *x)
{
	return x->bytes / dtype_size(x->dtype);
}

/* A row whose weight has one dimension is a batch norm: all 1, and its other tensors 0 but for the variance. */
static inline bool trajectory_normal(const struct state *live, const char *name, size_t *ret_fan)
{
	char weight[128];
	snprintf(weight, sizeof weight, "%.*s.weight", (int)(strrchr(name, '.') - name), name);
	const struct tensor *w = state_find(live, weight);
	if (!w)
		w = state_find(live, strcat(weight, "_orig"));
	if (!w)
		fail_msg("%s has no weight beside it", name);
	*ret_fan = trajectory_count(w) / (size_t)w->shape[0];
	return w->rank == 1;
}

/* Writes the initial weights (float) of every tensor of the state; it must have all that the file has. */
static inline void trajectory_start(const struct trajectory *t, const struct state *live)
{
	assert_int_equal(live->n, t->tensors);
	for (int i = 0; i < live->n; i++) {
		const struct tensor *x = &live->tensor[i];
		size_t fan;
		bool norm = trajectory_normal(live, x->name, &fan);
		float *w = x->data, fixed = trajectory_ends(x->name, ".weight") || trajectory_ends(x->name, ".running_var");
		int position = trajectory_position(t, x->name);
		for (size_t e = 0; e < trajectory_count(x); e++)
			w[e] = norm ? fixed : trajectory_weight(position, e, fan);
	}
}

/* part: which of the losses of a step (0 unless it is a gan's); step from 1. */
static inline void assert_loss(const struct trajectory *t, int step, int part, double got)
{
	const struct tensor *losses = trajectory_need(t, "losses");
	int parts = losses->rank == 2 ? (int)losses->shape[1] : 1;
	double expected = ((const double *)losses->data)[(step - 1) * parts + part];
	double drift = ((const double *)trajectory_need(t, "loss_drift")->data)[step - 1];
	double off = fabs(got / expected - 1), most = trajectory_loss_floor + trajectory_slack * drift;
	if (!(off <= most))
		fail_msg("%s step %d, loss %d: %.9g is %.2g away from %.9g, relatively; at most %.2g", t->run, step, part, got,
			off, expected, most);
}

static inline size_t trajectory_stride(size_t n)
{
	size_t d = n <= TRAJECTORY_SAMPLE ? 1 : (n + TRAJECTORY_SAMPLE - 1) / TRAJECTORY_SAMPLE;
	for (;; d++) {
		size_t a = n, b = d;
		while (b) {
			size_t rest = a % b;
			a = b;
			b = rest;
		}
		if (a == 1 || n <= TRAJECTORY_SAMPLE)
			return d;
	}
}

/* The norm of a tensor and the elements that the file has of it. */
static inline void assert_tensor(const struct trajectory *t, const struct tensor *x)
{
	int position = trajectory_position(t, x->name);
	const struct tensor *sample = trajectory_need(t, x->name);
	double norm = ((const double *)trajectory_need(t, "norms")->data)[position];
	double drift = ((const double *)trajectory_need(t, "drift")->data)[position];
	double most = trajectory_floor + trajectory_slack * drift, got = 0, off = 0, size = 0;
	const float *w = x->data, *expected = sample->data;
	size_t n = trajectory_count(x), d = trajectory_stride(n), k = 0;
	for (size_t e = 0; e < n; e++)
		got += (double)w[e] * (double)w[e];
	for (size_t e = 0; e < n; e += d, k++) {
		assert_true(k < trajectory_count(sample));
		off += pow((double)w[e] - (double)expected[k], 2);
		size += pow((double)expected[k], 2);
	}
	assert_int_equal(k, trajectory_count(sample));
	if (!(sqrt(off) <= most * sqrt(size)) || !(fabs(sqrt(got) - norm) <= most * norm))
		fail_msg("%s after %s: %.2g away, its norm %.2g, relatively; at most %.2g", x->name, t->run, sqrt(off / size),
			fabs(sqrt(got) / norm - 1), most);
}

static inline void assert_end(const struct trajectory *t, const struct state *live)
{
	for (int i = 0; i < live->n; i++)
		assert_tensor(t, &live->tensor[i]);
}

/* The first n test images of Fashion-MNIST as a training split, in order; NULL where the package is not installed. */
static inline struct dataset *trajectory_images(size_t n)
{
	char path[256];
	struct err err = {0};
	struct dataset *d = NULL;
	if (dataset_find("fashion-mnist", NULL, 0, path, sizeof path, &err) ||
		dataset_load(&d, "fashion-mnist", path, &err))
		return NULL;
	struct dataset_split *train = &d->split[SPLIT_TRAIN], *test = &d->split[SPLIT_TEST];
	assert_true(n <= test->n && n <= train->n);
	memcpy(train->images, test->images, n * (size_t)(d->c * d->h * d->w));
	memcpy(train->labels, test->labels, n);
	train->n = n;
	return d;
}

#endif
