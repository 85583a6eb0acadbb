/* export.h: a job's checkpoints as others see them: a list, and the weights alone as a file.
 *
 * Invariants: an export holds the model's tensors and the metadata that every level shares, so equal runs give equal bytes.
 */
#ifndef LATENTD_SERVER_EXPORT_H
#define LATENTD_SERVER_EXPORT_H

#include "server/store/store.h"

struct checkpoint_info {
	int epoch;
	int64_t step;
	size_t bytes;
	int64_t created_at_ms;
	bool best, last;
	double monitor; /* the job's best_metric at that epoch; NaN: not known */
};

/* The numbered checkpoints of a job, ascending; malloc'd. */
int export_list(struct store *s, const char *data_dir, const struct job *job, struct checkpoint_info **ret, int *ret_n,
	struct err *err);
/* which: "best", "last" or an epoch's number. Appends the file; *ret_epoch (or NULL): the finished epoch it is of. */
int export_weights(const char *data_dir, const struct job *job, const char *which, struct buf *ret_file, int *ret_epoch,
	struct err *err);

#endif
