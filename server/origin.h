/* origin.h: what a job goes on from: a checkpoint of a job that has ended.
 *
 * Why: a head stands on an encoder that another job has trained. Which one is settled when the job is submitted; the job's own
 * checkpoints then hold all of it, so that only its first start needs the other job.
 * Owner: origin_free.
 * Not here: what is done with the weights (family->adopt).
 */
#ifndef LATENTD_SERVER_ORIGIN_H
#define LATENTD_SERVER_ORIGIN_H

#include "api/spec.h"
#include "core/model/train.h"
#include "server/store/store.h"

struct origin {
	struct model model;
	real *w;
	struct code_stats codes;
	/* of origin_find only */
	int epoch;
	struct job job;
};

/* What spec->from means: ERR_INVALID "#/from" with the remedy where that is no finished job of a kind that encodes, or where
 * nothing is named and the kind needs something. */
int origin_find(
	struct origin *ret, struct store *store, const char *data_dir, const struct spec *spec, struct err *err);
/* Images of that shape are what its model takes; ERR_INVALID "#/dataset". Of one that is none (w NULL): OK. */
int origin_check_image(const struct origin *o, const struct dataset_head *head, struct err *err);
/* By the id and epoch that are stored with a job. */
int origin_load(struct origin *ret, const char *data_dir, const char *job_id, int epoch, struct err *err);
void origin_free(struct origin *o);

#endif
