/* The autoencoder against PyTorch in double: outputs, loss, gradients and optimiser steps of tests/golden/make.py's vectors,
 * at every level this processor has. */
#include "api/safetensors.h"
#include "core/model/trainer.h"

#include "tests/core/golden_file.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

struct golden {
	void *bytes;
	struct safetensors file;
	struct dataset *d;
	struct model m;
	int steps;
};

static const struct tensor *need(const struct golden *g, const char *prefix, const char *name)
{
	char whole[128];
	snprintf(whole, sizeof whole, "%s%s", prefix, name);
	const struct tensor *t = state_find(&g->file.state, whole);
	if (!t)
		fail_msg("no tensor %s", whole);
	return t;
}

static void golden_open(struct golden *g, const char *name)
{
	char path[128], text[320], overrides[400];
	struct err err = {0};
	size_t size;
	snprintf(path, sizeof path, "tests/golden/%s.safetensors", name);
	g->bytes = read_whole(path, &size);
	if (safetensors_read(&g->file, g->bytes, size, &err))
		fail_msg("%s: %s", path, err.message);
	const struct tensor *images = need(g, "", "images");
	g->d = balls(0, 0, (int)images->shape[1], (int)images->shape[2], (int)images->shape[3]);
	struct dataset_split *train = &g->d->split[SPLIT_TRAIN];
	train->n = (size_t)images->shape[0];
	train->images = memcpy(realloc(train->images, images->bytes), images->data, images->bytes);
	train->labels = realloc(train->labels, train->n);
	memset(train->labels, 0, train->n);
	assert_true(safetensors_metadata(&g->file, "params", text, sizeof text));
	snprintf(overrides, sizeof overrides, "%s batch_size=%zu val_fraction=0", text, train->n);
	g->m = ae_for(g->d, overrides);
	assert_true(safetensors_metadata(&g->file, "steps", text, sizeof text));
	g->steps = atoi(text);
}

static void golden_close(struct golden *g)
{
	model_free(&g->m);
	dataset_put(g->d);
	safetensors_free(&g->file);
	free(g->bytes);
}

/* Relative L2 distance of each tensor of a block from the one in the file; fails above `most`. */
static void assert_near(const struct golden *g, const char *prefix, real *block, double most)
{
	struct state mine = {0};
	state_add_model(&mine, &g->m, block);
	for (int i = 0; i < mine.n; i++) {
		const struct tensor *t = need(g, prefix, mine.tensor[i].name);
		assert_int_equal(t->bytes, mine.tensor[i].bytes);
		const float *expected = t->data, *got = mine.tensor[i].data;
		double off = 0, size = 0;
		for (size_t k = 0; k < t->bytes / sizeof *expected; k++) {
			off += pow((double)got[k] - (double)expected[k], 2);
			size += pow((double)expected[k], 2);
		}
		if (!(sqrt(off) <= most * sqrt(size)))
			fail_msg("%s is %.3g away, relatively; at most %.3g", t->name, sqrt(off / size), most);
	}
	state_free(&mine);
}

static struct trainer *trainer_with_weights(struct golden *g, const struct kern *k)
{
	struct trainer *t = open_trainer(&g->m, g->d, NULL, k);
	struct state weights = {0};
	state_add_model(&weights, &g->m, t->w);
	assert_int_equal(state_copy(&weights, &g->file.state, NULL), OK);
	state_free(&weights);
	return t;
}

static void check_forward(struct golden *g, struct trainer *t, const struct kern *k)
{
	size_t n = g->d->split[SPLIT_TRAIN].n, pixels = (size_t)map_features(&g->m.image);
	float *x = malloc(n * pixels * sizeof *x), *y = malloc(n * pixels * sizeof *y), *z = malloc(n * 8 * sizeof *z);
	for (size_t i = 0; i < n * pixels; i++)
		x[i] = (float)g->d->split[SPLIT_TRAIN].images[i] / 255.0f;
	assert_int_equal(model_encode(&g->m, k, t->w, t->ws[0], x, n, z, NULL), OK);
	assert_int_equal(model_reconstruct(&g->m, k, t->w, t->ws[0], x, n, y, NULL), OK);
	const double *codes = need(g, "", "z")->data;
	for (size_t i = 0; i < n * (size_t)g->m.latent_dim; i++)
		assert_true(fabs((double)z[i] - codes[i]) < 1e-6);
	const float *output = need(g, "", "output")->data;
	for (size_t i = 0; i < n * pixels; i++)
		assert_true(fabs((double)y[i] - (double)output[i]) < 1e-6);
	free(x);
	free(y);
	free(z);
}

static void check_steps(struct golden *g, struct trainer *t)
{
	double part[RESULT_PARTS], loss = *(const double *)need(g, "", "loss")->data;
	for (int i = 0; i < g->steps; i++) {
		assert_int_equal(trainer_step(t, part, NULL), OK);
		trainer_prune(t, i + 1); /* here an epoch has one step */
		if (i > 0)
			continue;
		assert_true(fabs(part[0] / (double)t->trains - loss) < 1e-6 * loss);
		assert_near(g, "grad.", t->sum, 5e-6);
	}
	assert_near(g, "after.", t->w, 5e-6);
}

static void check(const char *name)
{
	int levels = 0;
	for (enum cpu_level level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at(level);
		if (!k)
			continue;
		struct golden g;
		golden_open(&g, name);
		struct trainer *t = trainer_with_weights(&g, k);
		check_forward(&g, t, k);
		check_steps(&g, t);
		trainer_close(t);
		golden_close(&g);
		levels++;
	}
	assert_true(levels > 0);
}

static void test_report(void **state)
{
	(void)state;
	check("report");
}

static void test_adam_with_l2(void **state)
{
	(void)state;
	check("adam_l2");
}

static void test_adamw(void **state)
{
	(void)state;
	check("adamw");
}

static void test_pruned(void **state)
{
	(void)state;
	check("pruned");
	check("pruned_globally");
}

static void test_sgd_nesterov(void **state)
{
	(void)state;
	check("sgd_nesterov");
}

static void test_group_norm_and_glu(void **state)
{
	(void)state;
	check("group_glu");
}

static void test_sgd_plain(void **state)
{
	(void)state;
	check("sgd_plain");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_adam_with_l2),
		cmocka_unit_test(test_adamw),
		cmocka_unit_test(test_pruned),
		cmocka_unit_test(test_sgd_nesterov),
		cmocka_unit_test(test_sgd_plain),
		cmocka_unit_test(test_group_norm_and_glu),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
