/* preview.h: pictures of how far a run is: the same images and the same z each time. */
#ifndef LATENTD_SERVER_PREVIEW_H
#define LATENTD_SERVER_PREVIEW_H

#include "core/data/grid.h"
#include "core/model/train.h"
#include "server/blob.h"

enum { PREVIEW_IMAGES = 32, PREVIEW_SAMPLES = 64 };

struct preview {
	const struct trainer *trainer;
	const struct dataset *data;
	const struct kern *kern;
	uint64_t seed; /* the job's: the samples' z follow from it */
	const char *data_dir, *job_id;
	int epoch;
	int64_t step; /* 0: at the epoch's end */
};

/* Writes epoch-NNNNNN-{reconstructions,samples}.png (blob_preview_name), as far as the family can; says which. */
int preview_write(const struct preview *p, bool *ret_reconstructions, bool *ret_samples, struct err *err);

/* One picture that somebody else has painted. */
int preview_write_one(
	const char *data_dir, const char *job_id, const struct blob_preview *p, const struct canvas *canvas, struct err *err);

#endif
