/* task_projection.h: the row of the kind that lays points out in few dimensions (server/task.h).
 *
 * A step of PCA is all of it; one of t-SNE is an iteration, told of as a point of kl_divergence, and fifty of them are an epoch, at
 * whose end the map is written (projection_file.h) and painted as a preview.
 */
#ifndef LATENTD_SERVER_TASK_PROJECTION_H
#define LATENTD_SERVER_TASK_PROJECTION_H

#include "server/task.h"

extern const struct task task_projection;

#endif
