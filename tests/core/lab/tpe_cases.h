/* tpe_cases.h: the histories of tests/golden/tpe.py and what Optuna makes of them. */
#ifndef LATENTD_TESTS_CORE_LAB_TPE_CASES_H
#define LATENTD_TESTS_CORE_LAB_TPE_CASES_H

#include "core/lab/tpe.h"
#include "tests/core/lab/vectors.h"

enum { POINTS = 1000, CANDIDATES = 24 };

struct tpe_case {
	const struct vectors *v;
	int number, n; /* trials */
	struct space *space;
	struct range range[SPACE_DIMS_MAX];
	struct trial_record *history; /* [n] */
	bool joint, liar;
	int finished;
	const double *side; /* [n]: enum tpe_side */
};

static inline const struct tensor *tpe_case_tensor(const struct tpe_case *c, const char *side, const char *what)
{
	char name[64];
	snprintf(name, sizeof name, "case.%d.%s%s%s", c->number, side ? side : "", side ? "." : "", what);
	return vector(c->v, name);
}

static inline const double *tpe_case_doubles(const struct tpe_case *c, const char *side, const char *what)
{
	return tpe_case_tensor(c, side, what)->data;
}

static inline void tpe_case_space(struct tpe_case *c)
{
	const struct tensor *t = tpe_case_tensor(c, NULL, "space");
	const double *row = t->data;
	c->space = calloc(1, sizeof *c->space);
	c->space->n = (int)t->shape[0];
	for (int i = 0; i < c->space->n; i++, row += 6) {
		struct dim *d = &c->space->dim[i];
		*d = (struct dim){.type = (enum dim_type)row[0],
			.log = row[1] != 0,
			.low = BOUND_AT(row[3]),
			.high = BOUND_AT(row[4]),
			.choices = (int)row[5]};
		d->step = d->log ? 0 : row[2];
		snprintf(d->name, sizeof d->name, "d%d", i);
		c->range[i] = space_range(c->space, i, NULL);
	}
	assert_int_equal(space_check(c->space, NULL), OK);
}

static inline struct tpe_case tpe_case_open(const struct vectors *v, int number)
{
	struct tpe_case c = {.v = v, .number = number};
	tpe_case_space(&c);
	const double *x = tpe_case_doubles(&c, NULL, "x"), *row = tpe_case_doubles(&c, NULL, "trial");
	const double *options = tpe_case_doubles(&c, NULL, "options");
	c.n = (int)tpe_case_tensor(&c, NULL, "x")->shape[0];
	c.history = calloc((size_t)c.n, sizeof *c.history);
	for (int i = 0; i < c.n; i++, row += 4)
		c.history[i] = (struct trial_record){.state = (enum trial_state)row[0],
			.value = row[1],
			.last_step = (int64_t)row[2],
			.intermediate = row[3],
			.x = x + (size_t)(i * c.space->n)};
	c.joint = options[0] != 0;
	c.liar = options[1] != 0;
	c.finished = (int)options[2];
	c.side = tpe_case_doubles(&c, NULL, "side");
	return c;
}

static inline void tpe_case_close(struct tpe_case *c)
{
	free(c->space);
	free(c->history);
}

/* Rows x [n][dims] of the trials on one side that had the dimensions. */
static inline int tpe_case_observed(const struct tpe_case *c, enum tpe_side side, double *ret_x)
{
	const int dims = c->space->n;
	int n = 0;
	for (int i = 0; i < c->n; i++)
		if ((enum tpe_side)c->side[i] == side && !isnan(c->history[i].x[0]))
			memcpy(ret_x + dims * n++, c->history[i].x, (size_t)dims * sizeof *ret_x);
	return n;
}

/* point() of tests/golden/tpe.py. */
static inline void tpe_case_point(const struct tpe_case *c, int i, double *ret_x)
{
	static const double primes[] = {2, 3, 5, 7, 11, 13, 17};
	for (int j = 0; j < c->space->n; j++) {
		const struct range *r = &c->range[j];
		const double at = (i + 1) * sqrt(primes[j]), u = at - floor(at);
		if (r->type == DIM_CATEGORICAL)
			ret_x[j] = floor(u * r->choices);
		else if (r->step > 0)
			ret_x[j] = r->low + r->step * floor(u * (floor((r->high - r->low) / r->step + 1e-9) + 1));
		else if (r->log)
			ret_x[j] = r->low * pow(r->high / r->low, u);
		else
			ret_x[j] = r->low + u * (r->high - r->low);
	}
}

#endif
