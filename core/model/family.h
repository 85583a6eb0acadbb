/* family.h: a model kind (family) is one row.
 *
 * Why: the loop, the server, the API and the page know no kind by name: what a kind can do is which callbacks its row has.
 * Owner: rows are const tables of the kinds' files.
 * Invariants: a NULL callback is an absent ability.
 * Not here: a model, which is what a family's params and an image shape say (model.h).
 */
#ifndef LATENTD_CORE_MODEL_FAMILY_H
#define LATENTD_CORE_MODEL_FAMILY_H

#include "core/base/err.h"
#include "core/base/param.h"
#include "core/kern/kern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;
struct trainer;
struct code_stats;
struct block;
struct block_result;

/* A named set of overrides of the defaults; rows end with name NULL; the first is the default preset. */
struct preset {
	const char *name, *blurb;
	const char *overrides; /* as param_set_all takes them */
};

struct reference_line {
	double value;
	const char *label;
};

/* Where the points of a series come from. */
enum series_source {
	SERIES_PART,         /* a sum over images, divided by their number */
	SERIES_UNITS,        /* a curve per unit of the code, name_0, name_1, …: likewise */
	SERIES_ACTIVE_UNITS, /* units whose code varies by more than ACTIVE_VARIANCE over the training images */
	SERIES_GRAD_NORM,    /* of the gradient of phase `at`, before it is clipped: per step */
	SERIES_VERDICT, /* what a judge says of samples at a look (verdict.h): the double at offset `at` of the verdict */
	SERIES_SHARES,  /* a curve per class, name_0, name_1, …: its share of the verdict */
};

/* A curve a kind draws, or one for each unit; rows end with name NULL. The i-th per_step row of the parts is part[i] of struct
 * block_result over a training batch, the i-th of the others the same over the validation images; rows of the other sources
 * are per epoch: unit[j] over the validation images, or the epoch's training images without validation. */
struct series {
	const char *name, *help, *formula, *unit;
	struct reference_line lines[4]; /* until label NULL */
	bool per_step;                  /* a point per optimiser step, else per epoch */
	enum series_source source;
	size_t at; /* SERIES_GRAD_NORM: phase; SERIES_VERDICT: offset in struct verdict */
	/* Whether the step that has number `step` (from 1) tells a point; NULL: each one does. */
	bool (*told)(const struct model *m, int64_t step);
	bool headline; /* told where there is room for a few only: events.txt, lists of jobs, the default picture */
};
enum { SERIES_NAME_MAX = 32 };
static const double active_variance = 0.01; /* Burda et al. 2016 */

/* What a look at a run sees: at the ends of epochs, and in between where the kind wants more of them. */
struct view {
	int64_t epoch, step;             /* epoch: finished */
	int64_t since_epoch, since_step; /* where the weights were new: 0, or where a run that had collapsed began anew */
	bool epoch_end;
	int64_t active[3];             /* active units: at this epoch's end, an epoch ago, two ago; -1: not known */
	const double *mean;            /* [RESULT_PARTS] per image, over the steps since the look before */
	double grad_norm;              /* of the last phase at the last step that had one */
	const struct verdict *verdict; /* of its samples, now; NULL: nobody judges them */
	double most_share;             /* that the rarest class had at a look before */
	double best;                   /* the best of the epochs before, by the family's monitor; NaN: none yet */
};

/* Something people should know of and can do something about. */
struct alert {
	const char *code; /* a word for programs */
	char text[200];
	const char *remedy;
};

/* A sign that something goes wrong; rows end with code NULL. It is told once, when it has shown at every look over so many
 * steps, and again only after it was gone. */
struct sign {
	const char *code, *remedy;
	int64_t steps;
	bool collapse; /* the run is lost: on_collapse (struct family) says what follows */
	/* Whether it shows; then with words for people. */
	bool (*shows)(const struct model *m, const struct view *v, char *text, size_t size);
};

enum on_collapse { COLLAPSE_WARN, COLLAPSE_STOP, COLLAPSE_ROLLBACK };

/* What happens to a block of samples, one row after the other: the step of a kind as its paper would print it. Whoever walks
 * the rows (program.h) knows where the whole batch must come together. */
enum step_op_kind { OP_END, OP_CALL, OP_LOSS, OP_FORWARD, OP_BACKWARD, OP_SETTLE };
enum step_op_flag {
	OP_INPUT_GRAD = 1, /* backward: leave dL/dinput too */
	OP_FROZEN = 2,     /* backward: no gradients for the weights */
};

struct step_op {
	enum step_op_kind kind;
	int net; /* of OP_FORWARD and OP_BACKWARD: index in model->net */
	unsigned flags;
	/* OP_CALL: whatever lies between the nets. OP_LOSS: the same, and all that follows needs gradients: b->training or not,
	 * adds the block's sums to r->part. */
	void (*call)(const struct model *m, const struct block *b, struct block_result *r);
	/* OP_SETTLE: once all n blocks of the batch, in order, are this far, each with a workspace of its own, where what the batch
	 * has in common is worked out and left. In training, of a model with `settles`; else the row is passed over. */
	void (*settle)(const struct model *m, const struct block *blocks, int n);
};

#define OP_FORWARD_OF(n)               \
	{                                  \
		.kind = OP_FORWARD, .net = (n) \
	}
#define OP_BACKWARD_OF(n, f)                          \
	{                                                 \
		.kind = OP_BACKWARD, .net = (n), .flags = (f) \
	}
#define OP_CALL_OF(f)                \
	{                                \
		.kind = OP_CALL, .call = (f) \
	}
#define OP_SETTLE_OF(f)                  \
	{                                    \
		.kind = OP_SETTLE, .settle = (f) \
	}
#define OP_LOSS_OF(f)                \
	{                                \
		.kind = OP_LOSS, .call = (f) \
	}

/* Gradients by `ops` over the whole batch, then an update of nets first_net … first_net + nets - 1. */
struct train_phase {
	const struct step_op *ops; /* until OP_END, at most OPS_MAX */
	int first_net, nets;
};

/* How the weights of a net are trained beside those of others. */
struct pace {
	double lr_scale;     /* its learning rate, in shares of lr */
	int64_t first_epoch; /* the optimiser's steps for it count from this epoch's first (epochs from 0) */
	int64_t every;       /* phases that begin with it run at steps whose number is a multiple of this; 0: 1 */
	bool leads;          /* a run that collapsed and begins anew slows this one down, not those that it outran */
};

enum { MODEL_NETS_MAX = 4, PHASES_MAX = 4, OPS_MAX = 64, LATENT_DIM_MAX = 512, MODEL_PARAMETERS_MAX = 50000000 };

struct family {
	const char *name, *blurb;
	bool conducts; /* its jobs take no worker: they submit others (server/study.h) */
	const struct param *params;
	size_t params_size; /* of the struct the rows describe; of a kind that trains it begins with struct train_params */
	const struct preset *presets;
	/* A job to begin with, for who has none yet: a title, what it shows, what it changes of the default preset. NULL: none. */
	const struct preset *starter;
	const struct series *series; /* its own: those that every kind that trains has (series_at) are not repeated here */
	const char *const
		*results; /* what its jobs give beside what those of every kind do, until NULL: addresses below theirs */
	/* Of a kind that trains no net: whether such a job needs a finished model that encodes, which it may be given in any case. NULL:
	 * one that adopts weights always does, any other begins anew. */
	bool (*needs_from)(const void *params);
	const char *needs_none;        /* words for when it does not: "\"space\":\"pixels\" needs none" */
	const char *auto_distribution; /* what "auto" means when sampling (core/model/sample.h); NULL: cannot sample */
	const char
		*fitted_distribution; /* what it means once a mixture is kept with the model; NULL: none is fitted by itself */
	const char
		*monitor; /* series whose least value is best; the first headline instead when nothing is held out or judged */
	int looks_per_epoch;      /* previews, verdicts and signs inside an epoch, its end included; 0: at its end only */
	bool drop_last;           /* the last, short batch of an epoch is left out (as of torch's DataLoader) */
	bool signed_pixels;       /* what the nets paint is in -1 … 1, not 0 … 1 */
	const struct sign *signs; /* NULL: nothing is watched */
	enum on_collapse (*on_collapse)(const struct model *m); /* NULL: a warning is all */
	/* Whether an epoch is one to go back to, even where it is too early for a sign to show; NULL: whenever none shows. */
	bool (*sound)(const struct model *m, const struct view *v);

	/* Plans m->net[] and latent_dim from m->family_params and m->image. NULL: the kind trains no net; what its jobs do says a row of
	 * server/task.c, and nothing below is set. */
	int (*plan)(struct model *m, struct err *err);
	/* One optimiser step: phases in order, until ops NULL. Passes without gradients run the first one as far as its loss. */
	const struct train_phase *phases;
	/* Of a kind some of whose nets may stand still: the same step for the epochs (from 0) of which `cached` says so. Instead of
	 * images it begins with what those nets make of them, worked out once (block->features, rows of latent_dim codes). */
	const struct train_phase *cached_phases;
	bool (*cached)(const struct model *m, int64_t epoch);
	void (*pace)(const struct model *m, int net, struct pace *ret); /* NULL: lr itself, from the first epoch on */
	/* Of a kind that goes on from a model (m->base) of another kind that encodes: its weights become part of w. `codes`: of the
	 * training images, by that model. NULL: the kind stands alone. */
	int (*adopt)(const struct model *m, const struct model *base, const real *base_w, const struct code_stats *codes,
		real *w, struct err *err);
	/* One block of up to LANES rows; x and z sample-major float, ws as model_workspace says. */
	void (*encode)(
		const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, int lanes, float *z);
	void (*decode)(
		const struct model *m, const struct kern *k, const real *w, real *ws, const float *z, int lanes, float *images);
	/* The first net's first latent_dim outputs are the codes, whatever else it gives.
	 * Of a kind whose encoder gives a normal distribution per unit, not a point: its means, which encode gives too, and log
	 * variances; rows as z. The first net's outputs are the means, then the log variances. */
	void (*posterior)(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images,
		int lanes, float *mu, float *logvar);
	/* One logit per class of each image, [lanes][classes]; the largest is the class it is taken for. */
	void (*logits)(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, int lanes,
		float *rows);
};

#define FAMILIES(X) \
	X(family_ae)    \
	X(family_vae) X(family_gan) X(family_finetune) X(family_classifier) X(family_projection) X(family_study)
#define X(f) extern const struct family f;
FAMILIES(X)
#undef X

/* NULL if there is none. family_at: rows in order, NULL past the last. */
const struct family *family_find(const char *name);
const struct family *family_at(int i);
/* Its jobs train a net, whose weights are what they are for. */
bool family_trains(const struct family *f);
/* OK, or ERR_UNSUPPORTED "a projection is no model: …". */
int family_check_trains(const struct family *f, struct err *err);
/* Its jobs may be given a finished model to go on from; these, of such a model's kind; one with these params needs one. */
bool family_takes_from(const struct family *f);
bool family_goes_on_from(const struct family *f, const struct family *base);
bool family_needs_from(const struct family *f, const void *params);
/* Its jobs give such a result. */
bool family_gives(const struct family *f, const char *result);
/* Some of its series is of held-out images. */
bool family_validates(const struct family *f);
/* The curves of a kind: its own, then those of every kind that trains; NULL past the last. */
const struct series *series_at(const struct family *f, int i);
/* The i-th headline of a kind; NULL past the last. The first one, which a kind that trains has, has a point per step. */
const struct series *headline_at(const struct family *f, int i);
const struct preset *preset_find(const struct family *f, const char *name);
/* The row of a curve's name (n letters), or of one unit's; NULL if the family draws none of that name. */
const struct series *series_find(const struct family *f, const char *name, size_t n);
/* A params struct (malloc'd, params_size) with defaults and the preset's overrides. */
void *family_params(const struct family *f, const struct preset *preset);

/* What the family can do, for GET /v1/kinds and error texts. To reconstruct is to encode and to decode. */
#define ABILITIES(X)            \
	X(ABILITY_ENCODE, "encode") \
	X(ABILITY_DECODE, "decode") \
	X(ABILITY_SAMPLE, "sample") X(ABILITY_CLASSIFY, "classify")
enum ability {
#define X(ability, name) ability,
	ABILITIES(X)
#undef X
		ABILITY_COUNT
};
const char *ability_name(enum ability a);
bool family_can(const struct family *f, enum ability a);
/* ERR_UNSUPPORTED "a gan has no encoder; abilities: decode, sample". */
int family_lacks(const struct family *f, const char *what, struct err *err);

#endif
