/* view.h: what the API shows, as JSON: jobs, lists, kinds, models, data sets. Pure functions.
 *
 * Invariant: field names and meanings are api/openapi.yaml's.
 */
#ifndef LATENTD_API_VIEW_H
#define LATENTD_API_VIEW_H

#include "api/curve.h"
#include "api/job.h"
#include "api/json.h"
#include "api/sse.h"
#include "core/data/dataset.h"
#include "core/model/train.h"

/* prefix: path prefix of all links ("" or "/latentd"). */
void view_job(struct jsonw *w, const struct job *job, const char *prefix);
/* ["pause","cancel"]: commands that would change something now. */
void view_allowed(struct jsonw *w, const struct job *job);
/* {"object":"list","data":[ … and its end; the caller writes the entries between. Ids may be NULL. */
void view_list_begin(struct jsonw *w);
void view_list_end(struct jsonw *w, const char *first_id, const char *last_id, bool has_more);
void view_job_list(struct jsonw *w, const struct job *jobs, int n, bool has_more, const char *prefix);
/* An event in a list: its type beside what its data says: {"event":"metrics","seq":7,…}. */
void view_event(struct jsonw *w, const struct event *e);
/* One kind: schema of params, presets, series, abilities. */
void view_kind(struct jsonw *w, const struct family *f);
void view_kinds(struct jsonw *w, const char *prefix);
/* "abilities":["encode",…] */
void view_abilities(struct jsonw *w, const struct family *f);
/* ?validate_only: resolved params and estimates. */
struct estimate {
	size_t parameters, memory_bytes; /* parameters 0: of a kind that trains no net */
	double flops_per_epoch, seconds_per_epoch; /* seconds < 0: not known yet */
	bool measured;                             /* the seconds follow from what such jobs reached here */
	int epochs;
	int64_t steps, steps_per_epoch; /* in all; of an epoch */
	double ancestors_train_s; /* of what it goes on from; not shown */
	const char *work;         /* of a kind that trains no net: what its speed is known by, if at all (static); NULL: it is not */
};
struct spec;
void view_estimate(struct jsonw *w, const struct spec *s, const struct estimate *e);

/* codes: NULL or latent_dim 0 → "z":null. */
void view_model(struct jsonw *w, const char *id, const struct model *m, int epoch, int64_t step, const char *auto_distribution,
	const struct code_stats *codes);
void view_dataset(struct jsonw *w, const struct dataset *d, const char *path, bool uploaded);

#endif
