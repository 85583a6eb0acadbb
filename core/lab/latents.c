#include "core/lab/latents.h"

#include "core/base/radix.h"
#include "core/model/model.h"

#include <math.h>
#include <stdlib.h>

static const struct {
	const char *name;
	double p;
} quantiles[LATENT_QUANTILE_COUNT] = {
#define X(name, p) {name, p},
	LATENT_QUANTILES(X)
#undef X
};

const char *latent_quantile_name(int i)
{
	return quantiles[i].name;
}

struct measuring {
	const struct latent_codes *codes;
	struct latents *to;
	uint32_t *order; /* [n]: images by class, in each as they come */
	size_t *start;   /* [classes + 1]: of each class in order */
	uint32_t *sort;  /* [threads][2][n] */
	double *sum;     /* [threads][d] */
};

/* --- a unit ------------------------------------------------------------------------------------------------------------- */

static void set_nothing(struct latent_group *g, size_t unit)
{
	g->mean[unit] = g->std[unit] = g->min[unit] = g->max[unit] = (double)NAN;
	for (int q = 0; q < LATENT_QUANTILE_COUNT; q++)
		g->quantile[q][unit] = (double)NAN;
}

/* Of images order[0 … count-1]; NULL: of all of them. */
static void measure_group(
	const struct measuring *m, struct latent_group *g, size_t unit, const uint32_t *order, uint32_t *sort)
{
	const size_t d = (size_t)m->codes->d, n = g->count;
	uint32_t *sorted = sort + m->codes->n;
	double sum = 0, squares = 0;
	if (!n) {
		set_nothing(g, unit);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		float x = m->codes->z[(order ? order[i] : i) * d + unit];
		sum += (double)x;
		sort[i] = radix_key(x);
	}
	const double mean = sum / (double)n;
	for (size_t i = 0; i < n; i++) {
		double off = (double)m->codes->z[(order ? order[i] : i) * d + unit] - mean;
		squares += off * off;
	}
	radix_sort(sort, sorted, n);
	g->mean[unit] = mean;
	g->std[unit] = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
	g->min[unit] = (double)radix_value(sorted[0]);
	g->max[unit] = (double)radix_value(sorted[n - 1]);
	for (int q = 0; q < LATENT_QUANTILE_COUNT; q++)
		g->quantile[q][unit] = radix_at(sorted, n, quantiles[q].p * (double)(n - 1));
}

static void unit_task(void *ctx, int task, int slot)
{
	const struct measuring *m = ctx;
	uint32_t *sort = m->sort + (size_t)slot * 2 * m->codes->n;
	measure_group(m, m->to->group, (size_t)task, NULL, sort);
	for (int k = 0; k < m->codes->classes; k++)
		measure_group(m, &m->to->group[1 + k], (size_t)task, m->order + m->start[k], sort);
}

/* --- two units ---------------------------------------------------------------------------------------------------------- */

/* The covariances of one unit with itself and those after it, times n - 1. */
static void products_task(void *ctx, int task, int slot)
{
	const struct measuring *m = ctx;
	const size_t d = (size_t)m->codes->d, unit = (size_t)task;
	const double *mean = m->to->group[0].mean;
	double *sum = m->sum + (size_t)slot * d;
	for (size_t j = unit; j < d; j++)
		sum[j] = 0;
	for (size_t i = 0; i < m->codes->n; i++) {
		const float *z = m->codes->z + i * d;
		const double own = (double)z[unit] - mean[unit];
		for (size_t j = unit; j < d; j++)
			sum[j] += own * ((double)z[j] - mean[j]);
	}
	for (size_t j = unit; j < d; j++)
		m->to->correlation[unit * d + j] = sum[j];
}

static void correlate(struct latents *l)
{
	const size_t d = (size_t)l->d;
	double *c = l->correlation;
	for (size_t i = 0; i < d; i++)
		for (size_t j = i + 1; j < d; j++) {
			double scale = sqrt(c[i * d + i]) * sqrt(c[j * d + j]);
			c[i * d + j] = c[j * d + i] = scale > 0 ? fmax(-1, fmin(1, c[i * d + j] / scale)) : (double)NAN;
		}
	for (size_t i = 0; i < d; i++)
		c[i * d + i] = c[i * d + i] > 0 ? 1 : (double)NAN;
}

/* --- all ---------------------------------------------------------------------------------------------------------------- */

static void count_classes(struct measuring *m)
{
	const struct latent_codes *codes = m->codes;
	for (size_t i = 0; i < codes->n; i++)
		m->to->group[1 + codes->label[i]].count++;
	for (int k = 0; k < codes->classes; k++)
		m->start[k + 1] = m->start[k] + m->to->group[1 + k].count;
	for (size_t i = 0; i < codes->n; i++)
		m->order[m->start[codes->label[i]]++] = (uint32_t)i;
	for (int k = codes->classes; k > 0; k--) /* each start has moved to the next one's place */
		m->start[k] = m->start[k - 1];
	m->start[0] = 0;
}

/* One run of doubles: group[0].mean is its beginning. */
static bool reserve(struct latents *l, int d, int classes)
{
	const size_t per_group = (4 + LATENT_QUANTILE_COUNT) * (size_t)d, groups = 1 + (size_t)classes;
	*l = (struct latents){.d = d, .classes = classes};
	l->group = calloc(groups, sizeof *l->group);
	double *memory = calloc(groups * per_group + (size_t)d * (size_t)d, sizeof *memory);
	if (!l->group || !memory) {
		free(l->group);
		free(memory);
		return false;
	}
	for (size_t g = 0; g < groups; g++) {
		double *at = memory + g * per_group;
		struct latent_group *group = &l->group[g];
		*group = (struct latent_group){.mean = at, .std = at + d, .min = at + 2 * d, .max = at + 3 * d};
		for (int q = 0; q < LATENT_QUANTILE_COUNT; q++)
			group->quantile[q] = at + (4 + q) * d;
	}
	l->correlation = memory + groups * per_group;
	return true;
}

bool latents_active(const struct latents *l, int unit)
{
	const double std = l->group[0].std[unit];
	return std * std > active_variance;
}

void latents_free(struct latents *l)
{
	if (l->group)
		free(l->group[0].mean);
	free(l->group);
	*l = (struct latents){0};
}

int latents_measure(struct latents *ret, const struct latent_codes *codes, struct pool *pool, struct err *err)
{
	const size_t threads = (size_t)pool_threads(pool), d = (size_t)codes->d;
	struct latents l = {0};
	struct measuring m = {.codes = codes, .to = &l};
	m.order = malloc(codes->n * sizeof *m.order);
	m.start = calloc((size_t)codes->classes + 1, sizeof *m.start);
	m.sort = malloc(threads * 2 * codes->n * sizeof *m.sort);
	m.sum = malloc(threads * d * sizeof *m.sum);
	int code = m.order && m.start && m.sort && m.sum && reserve(&l, codes->d, codes->classes)
				   ? OK
				   : err_set(err, ERR_NO_MEMORY, "no memory for the figures of %d units", codes->d);
	if (!code) {
		l.group[0].count = codes->n;
		count_classes(&m);
		pool_run(pool, codes->d, unit_task, &m);
		pool_run(pool, codes->d, products_task, &m);
		correlate(&l);
		for (int i = 0; i < l.d; i++)
			l.active += latents_active(&l, i);
		*ret = l;
	}
	free(m.order);
	free(m.start);
	free(m.sort);
	free(m.sum);
	return code;
}
