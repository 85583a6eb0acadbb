#include "core/lab/nearest.h"

#include "core/lab/knn.h"

#include <math.h>
#include <stdlib.h>

enum { TASK_ROWS = 1024 };

/* The nearest rows of one task, by their squared distance. */
struct found {
	int n;
	struct neighbour near[NEAREST_MAX];
};

struct search {
	const struct nearest_rows *rows;
	const float *query;
	int k;
	struct found *found; /* [tasks] */
};

static double square_to_image(const uint8_t *row, const float *query, size_t d)
{
	double sum = 0;
	for (size_t i = 0; i < d; i++) {
		double off = (double)((float)row[i] / 255.0f) - (double)query[i];
		sum += off * off;
	}
	return sum;
}

/* Rows come in ascending order, so one that is as near as another goes behind it; what is no number is never near. */
static void see(struct found *f, int k, size_t index, double square)
{
	if (f->n == k && !(square < f->near[k - 1].distance))
		return;
	int i = f->n < k ? f->n++ : k - 1;
	for (; i > 0 && f->near[i - 1].distance > square; i--)
		f->near[i] = f->near[i - 1];
	f->near[i] = (struct neighbour){index, square};
}

static void search_task(void *ctx, int task, int slot)
{
	const struct search *s = ctx;
	const struct nearest_rows *r = s->rows;
	size_t from = (size_t)task * TASK_ROWS, end = from + TASK_ROWS < r->n ? from + TASK_ROWS : r->n;
	(void)slot;
	for (size_t i = from; i < end; i++) {
		double square = r->codes ? square_distance(r->codes + i * r->d, s->query, (int)r->d)
								 : square_to_image(r->images + i * r->d, s->query, r->d);
		see(&s->found[task], s->k, i, isnan(square) ? (double)INFINITY : square);
	}
}

int nearest_find(struct neighbour *ret, int k, const struct nearest_rows *rows, const float *query, struct pool *pool,
	struct err *err)
{
	if (k < 1 || k > NEAREST_MAX || (size_t)k > rows->n)
		return err_set(err, ERR_INVALID, "k must be 1..%zu, got %d", rows->n < NEAREST_MAX ? rows->n : NEAREST_MAX, k);
	const size_t tasks = (rows->n + TASK_ROWS - 1) / TASK_ROWS;
	struct search s = {.rows = rows, .query = query, .k = k, .found = calloc(tasks, sizeof *s.found)};
	struct found all = {0};
	if (!s.found)
		return err_set(err, ERR_NO_MEMORY, "no memory to look for neighbours");
	pool_run(pool, (int)tasks, search_task, &s);
	for (size_t t = 0; t < tasks; t++)
		for (int i = 0; i < s.found[t].n; i++)
			see(&all, k, s.found[t].near[i].index, s.found[t].near[i].distance);
	for (int i = 0; i < k; i++)
		ret[i] = (struct neighbour){all.near[i].index, sqrt(all.near[i].distance)};
	free(s.found);
	return OK;
}
