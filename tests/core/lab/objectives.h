/* objectives.h: functions whose least value is known, on which samplers are compared: here, and with Optuna by tests/bench/tuner.py. */
#ifndef LATENTD_TESTS_CORE_LAB_OBJECTIVES_H
#define LATENTD_TESTS_CORE_LAB_OBJECTIVES_H

#include "core/lab/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct objective {
	const char *name;
	double (*value)(const double *x);
	double least;
	int dims;
	struct dim dim[6];
};

/* Two valleys and three equal minima. */
static inline double branin(const double *x)
{
	const double a = x[1] - 5.1 / (4 * M_PI * M_PI) * x[0] * x[0] + 5 / M_PI * x[0] - 6;
	return a * a + 10 * (1 - 1 / (8 * M_PI)) * cos(x[0]) + 10;
}

static inline double hartmann6(const double *x)
{
	static const double alpha[4] = {1, 1.2, 3, 3.2};
	static const double a[4][6] = {
		{10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}};
	static const double p[4][6] = {{1312, 1696, 5569, 124, 8283, 5886}, {2329, 4135, 8307, 3736, 1004, 9991},
		{2348, 1451, 3522, 2883, 3047, 6650}, {4047, 8828, 8732, 5743, 1091, 381}};
	double sum = 0;
	for (int i = 0; i < 4; i++) {
		double inner = 0;
		for (int j = 0; j < 6; j++)
			inner += a[i][j] * (x[j] - 1e-4 * p[i][j]) * (x[j] - 1e-4 * p[i][j]);
		sum -= alpha[i] * exp(-inner);
	}
	return sum;
}

/* As tuning a net is: a learning rate and a weight decay whose logarithms count, a width, an activation that shifts the best rate. */
static inline double mixed(const double *x)
{
	static const double penalty[3] = {0.3, 0, 0.15}, shift[3] = {-0.5, 0, 0.4};
	const int choice = (int)x[3];
	const double lr = log10(x[0]) + 3 - shift[choice], wd = log10(x[1]) + 4.5, width = (x[2] - 11) / 4;
	return lr * lr + 0.1 * wd * wd + 0.2 * width * width + penalty[choice];
}

#define UNIT_DIM(i)                                             \
	{                                                           \
		.name = "x" #i, .low = BOUND_AT(0), .high = BOUND_AT(1) \
	}

/* Ends with a row without a name. */
static const struct objective objectives[] = {
	{"branin", branin, 0.39788735772973816, 2,
		{{.name = "x", .low = BOUND_AT(-5), .high = BOUND_AT(10)},
			{.name = "y", .low = BOUND_AT(0), .high = BOUND_AT(15)}}},
	{"hartmann6", hartmann6, -3.3223680114155147, 6,
		{UNIT_DIM(0), UNIT_DIM(1), UNIT_DIM(2), UNIT_DIM(3), UNIT_DIM(4), UNIT_DIM(5)}},
	{"mixed", mixed, 0, 4,
		{{.name = "lr", .log = true, .low = BOUND_AT(1e-5), .high = BOUND_AT(1e-1)},
			{.name = "wd", .log = true, .low = BOUND_AT(1e-7), .high = BOUND_AT(1e-1)},
			{.name = "width", .type = DIM_INT, .low = BOUND_AT(1), .high = BOUND_AT(16)},
			{.name = "act", .type = DIM_CATEGORICAL, .choices = 3}}},
	{0},
};

/* malloc'd */
static inline struct space *objective_space(const struct objective *f)
{
	struct space *s = calloc(1, sizeof *s);
	s->n = f->dims;
	for (int i = 0; i < f->dims; i++)
		s->dim[i] = f->dim[i];
	return s;
}

#endif
