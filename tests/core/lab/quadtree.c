#include "core/lab/quadtree.h"

#include "core/base/rng.h"
#include "tests/core/lab/vectors.h"

enum { N = 5003 };

static double *plane(size_t n, double spread)
{
	float *drawn = malloc((2 * n + 1) * sizeof *drawn);
	double *map = malloc((2 * n + 1) * sizeof *map);
	rng_normal(drawn, 2 * n, (struct rng){11, RNG_NOISE, n});
	for (size_t i = 0; i < 2 * n; i++)
		map[i] = (double)drawn[i] * spread;
	free(drawn);
	return map;
}

/* Neighbours on the curve are neighbours in the plane: a grid's blocks of sixteen cells are as compact as can be. */
static void test_curve(void **state)
{
	(void)state;
	enum { SIDE = 64 };
	double map[2 * SIDE * SIDE];
	struct quadtree t;
	assert_int_equal(quadtree_open(&t, SIDE * SIDE, NULL), OK);
	for (int i = 0; i < SIDE * SIDE; i++) {
		map[2 * i] = i % SIDE;
		map[2 * i + 1] = i / SIDE;
	}
	quadtree_plant(&t, map, NULL);
	for (size_t i = 1; i < SIDE * SIDE; i++) {
		const double *a = map + 2 * t.order[i - 1], *b = map + 2 * t.order[i];
		assert_true(fabs(a[0] - b[0]) + fabs(a[1] - b[1]) == 1);
	}
	for (size_t b = 0; b < t.blocks; b++)
		assert_true(t.box[b].high[0] - t.box[b].low[0] == 3 && t.box[b].high[1] - t.box[b].low[1] == 3);
	quadtree_close(&t);
}

/* Every point once; a mass has the moments of its points; what the lists name is all points, once. */
static void test_masses(void **state)
{
	(void)state;
	const size_t sizes[] = {1, 2, 15, 16, 17, 64, 65, 1000, N};
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		const size_t n = sizes[s];
		double *map = plane(n, 10);
		int *seen = calloc(n, sizeof *seen);
		struct quadtree t;
		assert_int_equal(quadtree_open(&t, n, NULL), OK);
		quadtree_plant(&t, map, NULL);
		for (size_t i = 0; i < t.blocks * LANES; i++)
			if (i < n)
				assert_int_equal(seen[t.order[i]]++, 0);
			else
				assert_int_equal(t.order[i], n);
		const size_t masses = t.first[t.levels];
		double whole = 0;
		for (size_t i = t.first[t.levels - 1]; i < masses; i++)
			whole += (double)t.mass[i].n;
		assert_true(whole == (double)n);
		struct quadtree_sources lists = {
			.far = calloc(masses, sizeof(uint32_t)), .near = calloc(t.blocks, sizeof(uint32_t))};
		for (double theta = 0; theta < 2; theta += 0.5) {
			quadtree_sources(&lists, &t, t.blocks / 2, theta);
			double all = 0;
			for (int i = 0; i < lists.nfar; i++)
				all += (double)t.mass[lists.far[i]].n;
			for (int i = 0; i < lists.nnear; i++)
				all += (double)(lists.near[i] + 1 == t.blocks ? n - (t.blocks - 1) * LANES : LANES);
			assert_true(all == (double)n);
			assert_true(theta > 0 || !lists.nfar);
		}
		free(lists.far);
		free(lists.near);
		free(map);
		free(seen);
		quadtree_close(&t);
	}
}

/* By hand, of points first … end - 1 in the curve's order. */
static void assert_moments(const struct quadtree *t, size_t i, const double *map, size_t first, size_t end)
{
	double x = 0, y = 0, xx = 0, xy = 0, yy = 0, reach = 0;
	for (size_t k = first; k < end; k++) {
		x += map[2 * t->order[k]] / (double)(end - first);
		y += map[2 * t->order[k] + 1] / (double)(end - first);
	}
	for (size_t k = first; k < end; k++) {
		const double dx = map[2 * t->order[k]] - x, dy = map[2 * t->order[k] + 1] - y;
		xx += dx * dx;
		xy += dx * dy;
		yy += dy * dy;
		reach = fmax(reach, dx * dx + dy * dy);
	}
	const struct mass *m = &t->mass[i];
	assert_true((size_t)m->n == end - first);
	assert_true(fabs((double)m->x - x) < 1e-6 && fabs((double)m->y - y) < 1e-6);
	assert_near((double)m->trace, xx + yy, 1e-6);
	assert_near((double)m->xx, 4 * xx, 1e-6);
	assert_true(fabs((double)m->xy - 4 * xy) < 1e-6 * xx);
	assert_near((double)m->yy, 4 * yy, 1e-6);
	assert_true((double)t->reach[i] >= reach * 0.999999);
}

/* Of every mass, at each level. */
static void test_moments(void **state)
{
	(void)state;
	enum { SOME = 1003 };
	double *map = plane(SOME, 3);
	struct quadtree t;
	assert_int_equal(quadtree_open(&t, SOME, NULL), OK);
	quadtree_plant(&t, map, NULL);
	assert_true(t.levels == 3);
	for (size_t level = 0, span = LANES; level < 3; level++, span *= TREE_FAN)
		for (size_t i = t.first[level], from = 0; i < t.first[level + 1]; i++, from += span)
			assert_moments(&t, i, map, from, from + span < SOME ? from + span : SOME);
	free(map);
	quadtree_close(&t);
}

/* Points that are all one, on a line, or not finite, end all the same. */
static void test_extremes(void **state)
{
	(void)state;
	double *map = plane(N, 1);
	struct quadtree t;
	assert_int_equal(quadtree_open(&t, N, NULL), OK);
	for (size_t i = 0; i < N; i++)
		map[2 * i] = 3;
	quadtree_plant(&t, map, NULL);
	for (size_t i = 0; i < N; i++)
		map[2 * i + 1] = -1;
	quadtree_plant(&t, map, NULL);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(t.order[i], i);
	map[77] = NAN;
	map[99] = INFINITY;
	quadtree_plant(&t, map, NULL);
	free(map);
	quadtree_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_curve),
		cmocka_unit_test(test_masses),
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
