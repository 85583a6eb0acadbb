/* projection_file.h: the map that a projection has come to, as one file in its job's folder: jobs/<id>/projection.safetensors.
 *
 * Why: whoever shows a map, while it moves or afterwards, reads what one write has left whole.
 * Invariants: the file follows from the job's parameters, its data and the steps taken: no id, time or thread count is in it.
 * Not here: the state that a run goes on from (task_projection.c).
 */
#ifndef LATENTD_SERVER_PROJECTION_FILE_H
#define LATENTD_SERVER_PROJECTION_FILE_H

#include "api/safetensors.h"
#include "core/base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct projection_map {
	size_t n, components;
	double *y;      /* [n][components] */
	int64_t *index; /* [n]: positions in the split, ascending */
	uint8_t *label; /* [n] */
	char *facts;    /* JSON members without their braces: all that is told of it beside the columns */
	/* of projection_load: what the others point into */
	void *file;
	struct safetensors st;
	char sha256[65]; /* of the file */
};

/* `more`: further tensors that belong to the map (or NULL). */
int projection_write(const char *data_dir, const char *job_id, const struct projection_map *map,
	const struct state *more, struct err *err);
/* ERR_NOT_FOUND, ERR_CORRUPT. */
int projection_load(struct projection_map *ret, const char *data_dir, const char *job_id, struct err *err);
void projection_free(struct projection_map *map);

#endif
