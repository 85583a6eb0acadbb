/* retention.h: which numbered checkpoints of a job stay.
 *
 * Invariants: never the newest two go (the older is what a damaged newest is mended from), nor the best, nor the one that a roll-back
 * would go to.
 */
#ifndef LATENTD_SERVER_RETENTION_H
#define LATENTD_SERVER_RETENTION_H

#include "core/model/train_params.h"
#include "server/export.h"

#define RETENTION_BUDGET_BYTES ((size_t)1 << 30) /* for one job */

/* Of the checkpoints all[0..*n), ascending by epoch, those that may go are gathered in front; *n becomes how many. The rules first
 * (p off: all stay); then, while the others are more than the budget, the one whose neighbours are nearest. needed: epochs, 0: none. */
void retention_apply(
	const struct retention_params *p, const int needed[2], size_t budget_bytes, struct checkpoint_info *all, int *n);
void retention_remove(const char *data_dir, const char *job_id, const struct checkpoint_info *gone, int n);

#endif
