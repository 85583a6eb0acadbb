/* fork.h: the body of POST /v1/jobs/{id}/fork: which checkpoint of a job another goes on from, and what is changed.
 *
 * Why: which parameters a fork may change is said by their rows (param.h, `fork`), and nowhere else.
 * Not here: what the checkpoint holds (server/fork.h).
 */
#ifndef LATENTD_API_FORK_H
#define LATENTD_API_FORK_H

#include "api/spec.h"

/* Fields checkpoint, name, priority and metadata into the spec; *ret_params: the member "params", borrowed, or NULL. */
int fork_parse(
	struct spec *ret, const struct json **ret_params, const struct json *body, struct err *err, struct err_more *more);
/* spec->params (a copy of `now`, the parameters in force there) with `changes` (or NULL) for a spec whose family is known.
 * ERR_INVALID at the field for one that is fixed, and for a total of epochs that are done already. */
int fork_params(struct spec *spec, const void *now, const struct json *changes, int epochs_done, struct err *err,
	struct err_more *more);

#endif
