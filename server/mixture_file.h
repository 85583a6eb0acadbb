/* mixture_file.h: the mixture of a finished job's served codes, kept beside its checkpoints, so that restarts keep it.
 *
 * File: codes/epoch-000012-gmm.safetensors, of that checkpoint; with a checksum, which is verified before use.
 * Not here: the fit (core/model/mixture.h).
 */
#ifndef LATENTD_SERVER_MIXTURE_FILE_H
#define LATENTD_SERVER_MIXTURE_FILE_H

#include "core/model/gmm.h"

int mixture_write(const char *data_dir, const char *job_id, int epoch, struct gmm *g, struct err *err);
/* ERR_NOT_FOUND when none is kept for that epoch, ERR_CORRUPT. */
int mixture_read(struct gmm *ret, const char *data_dir, const char *job_id, int epoch, int latent_dim, struct err *err);

#endif
