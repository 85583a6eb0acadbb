/* Further optimiser steps on random blocks (tests/core/kern/trial.h). */
#include "tests/core/kern/trial.h"

static void try_rmsprop(const struct kern *k, struct trial *t)
{
	size_t n = (size_t)draw(t, 1, 100);
	real *w = values(t, n), *g = values(t, n), *square = values(t, n), *momentum = values(t, n);
	for (size_t i = 0; i < n; i++)
		square[i] = square[i] * square[i] + (real)1e-3;
	struct rmsprop_step step = {.lr = (real)0.01, .alpha = (real)0.99, .gain = (real)0.01, .eps = (real)1e-3};
	step.momentum = (real)0.9;
	step.l2 = (real)0.02;
	k->rmsprop(w, g, square, draw(t, 0, 1) ? momentum : NULL, n, &step);
	t->tolerance = 0x1p-23 * 20;
	record(t, w, n);
	record(t, square, n);
	record(t, momentum, n);
}

int main(void)
{
	static try_fn *rmsprop = try_rmsprop;
	const struct CMUnitTest tests[] = {{"rmsprop", test_kernel, NULL, NULL, &rmsprop}};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
