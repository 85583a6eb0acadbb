/* space.h: what a study may try: dimensions with bounds that may depend on others, and conditions under which they exist.
 *
 * Why: samplers, pruners, importance and the reader of a request speak of one space, a table of dimensions in an order in which each
 * refers to earlier ones only.
 * Owner: the caller; a space is plain memory (it is large: keep it off small stacks).
 * Invariants: these functions take a space that space_check has passed. A point has one value per dimension; NaN: not active; a
 * categorical dimension's is the index of its choice. Everything here is a pure function: the same arguments, the same point.
 * Not here: JSON (api), the meaning of names, what is tried next (tpe.h).
 */
#ifndef LATENTD_CORE_LAB_SPACE_H
#define LATENTD_CORE_LAB_SPACE_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SPACE_DIMS_MAX = 64,
	SPACE_CHOICES_MAX = 64,   /* of a categorical dimension; values of a condition */
	SPACE_CONDITIONS_MAX = 4, /* of a dimension */
	SPACE_NAME_MAX = 64,      /* with its 0 */
	SPACE_GRID_MAX = 100000,  /* combinations that are counted */
};

enum dim_type { DIM_FLOAT, DIM_INT, DIM_CATEGORICAL };

/* factor v + offset, with v the value of the earlier dimension `of`; a dimension of integers rounds it down. of < 0: the constant
 * offset. */
struct bound {
	int of;
	double factor, offset;
};
#define BOUND_AT(x) ((struct bound){.of = -1, .offset = (x)})

/* A dimension is active where each condition's dimension is active and has one of the values given, and where the dimensions that
 * its bounds refer to are active. */
struct condition {
	int of;
	int n;
	double value[SPACE_CHOICES_MAX];
};

struct dim {
	char name[SPACE_NAME_MAX];
	enum dim_type type;
	bool log;
	double step;            /* from low on; 0: none, of an integer 1 */
	struct bound low, high; /* both included */
	int choices;            /* of a categorical dimension */
	int nconditions;
	struct condition condition[SPACE_CONDITIONS_MAX];
};

struct space {
	int n;
	struct dim dim[SPACE_DIMS_MAX];
};

/* What a dimension is where the earlier ones have their values: bounds as numbers, high a whole number of steps above low. */
struct range {
	enum dim_type type;
	bool log;
	double low, high, step; /* of integers step is at least 1; categorical: 0, choices - 1, 1 */
	int choices;
};

/* Of a trial, as samplers, pruners and importance see it. */
enum trial_state { TRIAL_COMPLETE, TRIAL_PRUNED, TRIAL_RUNNING, TRIAL_INFEASIBLE, TRIAL_FAILED };
struct trial_record {
	enum trial_state state;
	double value;        /* complete: the least is the best */
	int64_t last_step;   /* pruned: where; < 0: before the first value */
	double intermediate; /* pruned: the value there; NaN: none that is a number */
	const double *x;     /* [space.n] */
};

/* Whether the space makes sense: bounds in order for every value of what they depend on, logarithms of what is positive, references
 * to earlier dimensions. The pointer of a fault is #/params/space/<name>/<field>. */
int space_check(const struct space *s, struct err *err);

bool space_active(const struct space *s, int i, const double *x);
/* Of dimension i, active at x, of which only the values of earlier dimensions are read. */
struct range space_range(const struct space *s, int i, const double *x);
/* The same over all points: the least low, the highest high. */
struct range space_hull(const struct space *s, int i);
/* Whether the bounds of i depend on another dimension. */
bool space_varies(const struct space *s, int i);
bool range_single(const struct range *r);
/* The value of the range that is nearest to v: on a step, within the bounds. */
double range_nearest(const struct range *r, double v);
/* u in [0, 1) to a value: uniform, uniform of the logarithm, or each step (choice) alike. */
double range_at(const struct range *r, double u);
bool range_contains(const struct range *r, double v);

/* Whether x is a point of the space: NaN exactly where a dimension is not active, else a value of its range. The pointer of a fault
 * is #/<name>. */
int space_contains(const struct space *s, const double *x, struct err *err);
/* Whether two points are one: equal values, active in the same dimensions. */
bool space_same(const struct space *s, const double *x, const double *y);

/* A uniform draw in [0, 1) of 53 bits, by (seed, number of the trial, dimension, draw < 2^16); `second` is another one. */
double space_draw(uint64_t seed, int64_t number, int dim, int draw, double *ret_second);
/* A point drawn dimension by dimension: draw 0 of each. */
void space_random(const struct space *s, uint64_t seed, int64_t number, double *ret_x);

/* The grid: every value of each active dimension, the last dimension fastest. It needs steps: a float dimension without one, of
 * more than one value, is refused. */
int space_grid_check(const struct space *s, struct err *err);
/* Combinations, at most SPACE_GRID_MAX: counting ends there. */
int64_t space_grid_count(const struct space *s);
void space_grid_first(const struct space *s, double *ret_x);
/* x becomes the next one; false after the last, x is what it was. */
bool space_grid_next(const struct space *s, double *x);

#endif
