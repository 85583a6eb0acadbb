/* curve.h: one series in columns, whole or thinned.
 *
 * Why: a curve of twenty thousand points is read as arrays, thinned where it is shown, and never by the store.
 * Owner: curve_free gives the columns back.
 * Invariants: n entries in each column that is there, in order of step; min and max may be NULL, and then are value.
 */
#ifndef LATENTD_API_CURVE_H
#define LATENTD_API_CURVE_H

#include "api/job.h"
#include "api/json.h"

struct curve {
	char series[JOB_WORD];
	size_t n;
	int64_t *step;
	double *epoch, *value, *min, *max;
	int64_t *time_ms;
	double *weight; /* how many points an entry stands for; NULL: one each */
	bool downsampled;
};
void curve_free(struct curve *c);
/* At most `points` buckets of equal count: mean, min, max; steps, epochs and times of each bucket's last point. */
int curve_thin(struct curve *c, size_t points, struct err *err);
/* One point per epoch: the mean of the epoch's points (ceil of the fractional epoch). */
int curve_by_epoch(struct curve *c, struct err *err);
void view_metrics(struct jsonw *w, const struct curve *curves, int n, int64_t next_step);
/* One row per epoch (or step), one column per series; empty cells where a series has no point. */
void view_metrics_csv(struct buf *b, const struct curve *curves, int n, bool by_epoch);

#endif
