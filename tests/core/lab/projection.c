#include "core/lab/projection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct projection_params params_of(const char *overrides)
{
	struct projection_params p;
	struct err err = {0};
	param_defaults(family_projection.params, &p);
	if (param_set_all(family_projection.params, &p, overrides, &err))
		fail_msg("%s", err.message);
	return p;
}

/* No other kind gives maps, and this one is no model. */
static void test_kind(void **state)
{
	(void)state;
	const struct family *f = &family_projection;
	struct model m;
	struct err err = {0};
	struct projection_params pixels = params_of("space=pixels"), codes = params_of("");
	assert_false(family_trains(f));
	assert_true(family_gives(f, "projection") && !family_gives(f, "trials") && !family_gives(&family_ae, "projection"));
	assert_true(family_takes_from(f) && family_needs_from(f, &codes) && !family_needs_from(f, &pixels));
	assert_true(family_goes_on_from(f, &family_vae) && family_goes_on_from(f, &family_finetune));
	assert_false(family_goes_on_from(f, &family_gan) || family_goes_on_from(f, f));
	assert_int_equal(family_check_trains(&family_ae, NULL), OK);
	assert_int_equal(model_plan(&m, f, &codes, (struct map){1, 28, 28, 0}, 10, &err), ERR_UNSUPPORTED);
	assert_string_equal(err.message,
		"a projection is no model and has neither weights nor checkpoints; what such a job gives: projection");
	assert_null(series_at(f, 1)); /* nor has it curves of an optimiser's */
}

static void test_points(void **state)
{
	(void)state;
	static const size_t apart[4] = {0, 2, 5, 7};
	struct projection_params p = params_of("n=4");
	assert_int_equal(projection_points(&p, 10), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(projection_index(i, 4, 10), apart[i]);
	p.n = 0;
	assert_int_equal(projection_points(&p, 10), 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(projection_index(i, 10, 10), i);
	assert_int_equal(projection_split(&p), SPLIT_TEST);
}

static void test_steps(void **state)
{
	(void)state;
	struct projection_params pca = params_of(""), tsne = params_of("method=tsne iterations=730");
	assert_true(projection_steps(&pca) == 1 && projection_epoch_steps(&pca) == 1);
	assert_true(projection_steps(&tsne) == 730 && projection_epoch_steps(&tsne) == 50);
}

static void test_width(void **state)
{
	(void)state;
	struct projection_params p = params_of("");
	assert_int_equal(projection_width(&p, 1000, 784), 50);
	assert_int_equal(projection_width(&p, 1000, 50), 50);
	assert_int_equal(projection_width(&p, 1000, 8), 8);
	assert_int_equal(projection_width(&p, 20, 784), 19); /* which is all that they span */
	p.initial_dims = 0;
	assert_int_equal(projection_width(&p, 1000, 784), 784);
}

/* overrides, images, values → the field at fault and words of its error, or NULL. */
static void test_check(void **state)
{
	(void)state;
	static const struct {
		const char *overrides;
		size_t images, d;
		const char *pointer, *words;
	} rows[] = {
		{"", 10000, 2, NULL, NULL},
		{"components=3", 10000, 2, "#/params/components", "at most 2, which 10000 points of 2 values span; got 3"},
		{"components=3", 3000, 784, NULL, NULL},
		{"components=4", 4, 784, "#/params/components", "at most 3"},
		{"", 10000, 1, "#/params/components", "at most 1"},
		{"components=1", 10000, 1, NULL, NULL},
		{"n=10001", 10000, 8, "#/params/n", "0 (all) or 4..10000, so many images the split has; got 10001"},
		{"n=3", 10000, 8, "#/params/n", "0 (all) or at least 4, got 3"},
		{"", 3, 8, "#/params/n", "at least 4, got 3"},
		{"", 10000, 12288, "#/params/n", "at most 4096 for PCA of 12288 values, got 10000"},
		{"method=tsne", 10000, 12288, "#/params/n", "at most 4096"},
		{"method=tsne initial_dims=0", 10000, 12288, NULL, NULL},
		{"method=tsne n=4096", 10000, 12288, NULL, NULL},
		{"method=tsne", 10000, 1, NULL, NULL},
		{"method=tsne components=3", 10000, 8, "#/params/components", "must be 2 with method tsne, got 3"},
		{"method=tsne n=30", 10000, 8, "#/params/perplexity", "less than 30, so many points there are; got 30"},
		{"method=tsne n=31", 10000, 8, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct projection_params p = params_of(rows[i].overrides);
		struct err err = {0};
		int code = projection_check(&p, rows[i].images, rows[i].d, &err);
		if (code != (rows[i].pointer ? ERR_INVALID : OK))
			fail_msg("row %zu: %d %s", i, code, err.message);
		if (!code)
			continue;
		assert_string_equal(err.pointer, rows[i].pointer);
		if (!strstr(err.message, rows[i].words))
			fail_msg("row %zu: %s", i, err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_check),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
