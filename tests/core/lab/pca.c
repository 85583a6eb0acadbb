#include "core/lab/pca.h"

#include "api/safetensors.h"
#include "core/data/dataset.h"
#include "tests/core/golden_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ALL_IMAGES = 0 };
#else
enum { ALL_IMAGES = 1 };
#endif

static const char data_dir[] = "/usr/share/datasets/fashion-mnist";

struct vectors {
	void *bytes;
	struct safetensors file;
};

static struct vectors vectors_open(void)
{
	struct vectors v;
	struct err err = {0};
	size_t size;
	v.bytes = read_whole("tests/golden/pca.safetensors", &size);
	if (safetensors_read(&v.file, v.bytes, size, &err))
		fail_msg("%s", err.message);
	return v;
}

static void vectors_close(struct vectors *v)
{
	safetensors_free(&v->file);
	free(v->bytes);
}

static const struct tensor *vector(const struct vectors *v, const char *set, const char *name)
{
	char full[64];
	snprintf(full, sizeof full, "%s%s%s", set, *name ? "." : "", name);
	const struct tensor *t = state_find(&v->file.state, full);
	if (!t)
		fail_msg("no tensor %s", full);
	return t;
}

/* To a millionth of the largest: signs, too. */
static void check(const double *x, const struct vectors *v, const char *set, const char *name)
{
	const struct tensor *t = vector(v, set, name);
	const double *wanted = t->data;
	const size_t n = t->bytes / sizeof *wanted;
	double most = 0;
	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(wanted[i]));
	for (size_t i = 0; i < n; i++)
		if (!(fabs(x[i] - wanted[i]) <= 1e-6 * most))
			fail_msg("%s.%s[%zu] is %.12g, scikit-learn has %.12g", set, name, i, x[i], wanted[i]);
}

static void check_fit(const struct pca *p, const struct vectors *v, const char *set)
{
	check(p->component, v, set, "components");
	check(p->variance, v, set, "explained_variance");
	check(p->ratio, v, set, "explained_variance_ratio");
}

/* The same bits for one thread and three. */
static struct pca fit_both(const struct points *x, size_t k)
{
	struct pca p, again;
	struct pool *pool;
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	assert_int_equal(pca_fit(&p, x, k, pool, NULL, NULL), OK);
	assert_int_equal(pca_fit(&again, x, k, NULL, NULL, NULL), OK);
	assert_memory_equal(p.component, again.component, k * x->d * sizeof *p.component);
	assert_memory_equal(p.variance, again.variance, k * sizeof *p.variance);
	assert_memory_equal(p.mean, again.mean, x->d * sizeof *p.mean);
	pca_free(&again);
	pool_close(pool);
	return p;
}

static double *doubles(size_t n)
{
	double *x = calloc(n, sizeof *x);
	assert_non_null(x);
	return x;
}

static void test_reals(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	const struct tensor *t = vector(&v, "points", "");
	const size_t n = (size_t)t->shape[0], d = (size_t)t->shape[1];
	const struct points x = {.n = n, .d = d, .real = t->data};
	struct pca p = fit_both(&x, d);
	double *y = doubles(n * d), *back = doubles(n * d);
	check_fit(&p, &v, "points");
	for (int white = 0; white < 2; white++) {
		pca_transform(&p, &x, white, NULL, y);
		check(y, &v, "points", white ? "white" : "map");
		pca_inverse(&p, white, y, n, NULL, back); /* all components are there */
		for (size_t i = 0; i < n * d; i++)
			assert_true(fabs(back[i] - points_value(&x, i / d, i % d)) < 1e-10);
	}
	free(y);
	free(back);
	pca_free(&p);
	vectors_close(&v);
}

static struct dataset *fashion(void)
{
	struct dataset *d;
	if (access(data_dir, R_OK))
		skip();
	assert_int_equal(dataset_load(&d, "fashion-mnist", data_dir, NULL), OK);
	return d;
}

static struct points pixels(const struct dataset *d, enum split split, size_t n)
{
	return (struct points){.n = n, .d = (size_t)(d->h * d->w), .bytes = d->split[split].images};
}

/* Inner products of points, not of values. */
static void test_few_points(void **state)
{
	(void)state;
	struct dataset *d = fashion();
	struct vectors v = vectors_open();
	const struct points x = pixels(d, SPLIT_TEST, 40);
	struct pca p = fit_both(&x, 12);
	double *y = doubles(x.n * p.k);
	check_fit(&p, &v, "few");
	pca_transform(&p, &x, false, NULL, y);
	check(y, &v, "few", "map");
	free(y);
	pca_free(&p);
	dataset_put(d);
	vectors_close(&v);
}

/* Mean squared error of images made again of the first components, from what each of these takes off. */
static void errors_of(const struct pca *p, const struct points *x, struct pool *pool, double *ret)
{
	double *y = doubles(x->n * p->k), all = 0;
	pca_transform(p, x, false, pool, y);
	for (size_t i = 0; i < x->n; i++)
		for (size_t j = 0; j < x->d; j++) {
			double centred = points_value(x, i, j) - p->mean[j];
			all += centred * centred;
		}
	for (size_t c = 0; c < p->k; c++) {
		for (size_t i = 0; i < x->n; i++)
			all -= y[i * p->k + c] * y[i * p->k + c];
		ret[c] = all / (double)(x->n * x->d);
	}
	free(y);
}

/* All 60,000 images, 64 components: the linear floor that every autoencoder is measured by. */
static void test_all_pixels(void **state)
{
	(void)state;
	static const struct {
		int k;
		double ratio, mse; /* to four digits, computed once with scikit-learn */
	} floor_table[] = {{1, .2904, .06138}, {2, .4679, .04610}, {4, .5777, .03660}, {5, .6162, .03329},
		{6, .6508, .03030}, {8, .6933, .02661}, {10, .7199, .02435}, {12, .7390, .02270}, {14, .7532, .02149},
		{16, .7652, .02045}, {32, .8261, .01514}, {64, .8813, .01037}};
	enum { K = 64, SHOWN = 100 };
	if (!ALL_IMAGES)
		skip();
	struct dataset *d = fashion();
	struct vectors v = vectors_open();
	struct pool *pool;
	struct pca p;
	double error[K], ratio = 0, y[SHOWN * K], shown[SHOWN * 16];
	const struct points train = pixels(d, SPLIT_TRAIN, 60000), test = pixels(d, SPLIT_TEST, 10000),
						few = pixels(d, SPLIT_TEST, SHOWN);
	assert_int_equal(pool_open(&pool, 2, NULL), OK);
	assert_int_equal(pca_fit(&p, &train, K, pool, NULL, NULL), OK);
	check_fit(&p, &v, "pixels");
	pca_transform(&p, &few, false, pool, y);
	for (size_t i = 0; i < SHOWN; i++)
		memcpy(shown + i * 16, y + i * K, 16 * sizeof *y);
	check(shown, &v, "pixels", "map");
	errors_of(&p, &test, pool, error);
	check(error, &v, "pixels", "mse");
	for (size_t i = 0, c = 0; i < sizeof floor_table / sizeof *floor_table; i++) {
		while (c < (size_t)floor_table[i].k)
			ratio += p.ratio[c++];
		assert_true(fabs(ratio - floor_table[i].ratio) <= 5.001e-5);
		assert_true(fabs(error[floor_table[i].k - 1] - floor_table[i].mse) <= 5.001e-6);
	}
	pool_close(pool);
	pca_free(&p);
	dataset_put(d);
	vectors_close(&v);
}

/* Values that never vary, points that are equal, more than can be solved. */
static void test_edges(void **state)
{
	(void)state;
	static const uint8_t flat[5 * 3] = {7, 0, 9, 7, 1, 9, 7, 2, 9, 7, 3, 9, 7, 5, 9};
	static const uint32_t some[4] = {0, 1, 3, 4};
	static const uint8_t equal[3 * 9] = {0};
	const struct points x = {.n = 5, .d = 3, .bytes = flat}, chosen = {.n = 4, .d = 3, .bytes = flat, .index = some},
						same = {.n = 3, .d = 9, .bytes = equal};
	struct pca p;
	struct err err = {0};
	assert_int_equal(pca_fit(&p, &x, 3, NULL, NULL, NULL), OK);
	assert_true(fabs(p.ratio[0] - 1) < 1e-15 && p.ratio[1] == 0 && p.component[1] == 1);
	assert_true(fabs(p.mean[0] - 7 / 255.0) < 1e-17);
	pca_free(&p);
	assert_int_equal(pca_fit(&p, &chosen, 1, NULL, NULL, NULL), OK);
	assert_true(fabs(p.mean[1] - 2.25 / 255.0) < 1e-17);
	pca_free(&p);
	assert_int_equal(pca_fit(&p, &same, 2, NULL, NULL, NULL), OK);
	assert_true(p.total == 0 && p.ratio[0] == 0 && p.component[0] == 0);
	pca_free(&p);
	const struct points large = {.n = PCA_SIDE_MAX + 1, .d = PCA_SIDE_MAX + 1, .bytes = equal};
	assert_int_equal(pca_fit(&p, &large, 2, NULL, NULL, &err), ERR_INVALID);
	assert_non_null(strstr(err.message, "at most 4096"));
}

static bool told(void *ctx)
{
	return ++*(int *)ctx == 1;
}

/* Whichever way it goes it can be told to give up. */
static void test_halted(void **state)
{
	(void)state;
	enum { N = 600, D = 5 };
	static uint8_t bytes[N * D];
	static float reals[N * D];
	for (int i = 0; i < N * D; i++)
		reals[i] = bytes[i] = (uint8_t)(i * i % 251);
	const struct points ways[] = {
		{.n = N, .d = D, .bytes = bytes}, {.n = N, .d = D, .real = reals}, {.n = D, .d = N, .real = reals}};
	for (int i = 0; i < 3; i++) {
		struct pca p;
		int asked = 0;
		const struct halt halt = {.told = told, .ctx = &asked};
		assert_int_equal(pca_fit(&p, &ways[i], 2, NULL, &halt, NULL), ERR_UNAVAILABLE);
		assert_int_equal(asked, 1);
		assert_int_equal(pca_fit(&p, &ways[i], 2, NULL, &halt, NULL), OK);
		assert_true(asked > 1);
		pca_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reals),
		cmocka_unit_test(test_few_points),
		cmocka_unit_test(test_all_pixels),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_halted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
