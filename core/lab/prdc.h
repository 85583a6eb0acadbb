/* prdc.h: whether samples look real (precision, density) and whether all that is real is there (recall, coverage).
 *
 * A row's ball reaches to its k-th nearest neighbour in its own cloud, itself left out. Strictly inside counts.
 *   precision  share of fakes in at least one real ball           density   (pairs of a real ball and a fake in it) / (k fakes)
 *   recall     share of reals in at least one fake's ball         coverage  share of real balls with at least one fake in them
 *   duplicates share of fakes that are nearer to another fake than 99 % of the reals are to another real: 1 % for real images
 * Sources: Kynkäänniemi et al. 2019; Naeem et al. 2020.
 * Invariants: the same bits for any number of threads; distances are float, from the mean of the reals.
 */
#ifndef LATENTD_CORE_LAB_PRDC_H
#define LATENTD_CORE_LAB_PRDC_H

#include "core/base/err.h"
#include "core/base/pool.h"
#include "core/kern/kern.h"

#include <stddef.h>

enum { PRDC_K_MAX = 16 };

struct prdc {
	double precision, recall, density, coverage, duplicates;
};

/* Two clouds of d features; k in 1..PRDC_K_MAX, below both numbers of rows. */
struct prdc_clouds {
	const float *real_rows, *fake_rows;
	size_t reals, fakes;
	int d, k;
};
int prdc(struct prdc *ret, const struct prdc_clouds *c, struct pool *pool, const struct kern *kern, struct err *err);

#endif
