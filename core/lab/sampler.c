#include "core/lab/sampler.h"

#include "core/lab/tpe.h"

const char *const sampler_names[SAMPLER_COUNT + 1] = {
	[SAMPLER_TPE] = "tpe", [SAMPLER_RANDOM] = "random", [SAMPLER_GRID] = "grid"};

static bool tried(const struct space *s, const struct trial_record *history, int n, const double *x)
{
	for (int i = 0; i < n; i++)
		if (space_same(s, history[i].x, x))
			return true;
	return false;
}

static int suggest_grid(
	const struct space *s, const struct trial_record *history, int n, double *ret_x, struct err *err)
{
	double x[SPACE_DIMS_MAX];
	int code = space_grid_check(s, err);
	if (code)
		return code;
	space_grid_first(s, x);
	while (tried(s, history, n, x))
		if (!space_grid_next(s, x))
			return err_set(err, ERR_NOT_FOUND, "every combination of the grid has been tried");
	for (int i = 0; i < s->n; i++)
		ret_x[i] = x[i];
	return OK;
}

int sampler_suggest(const struct space *s, const struct sampler_options *o, const struct trial_record *history, int n,
	int64_t number, double *ret_x, struct err *err)
{
	switch (o->sampler) {
	case SAMPLER_GRID:
		return suggest_grid(s, history, n, ret_x, err);
	case SAMPLER_TPE:
		return tpe_suggest(s, o, history, n, number, ret_x, err);
	default:
		space_random(s, o->seed, number, ret_x);
		return OK;
	}
}
