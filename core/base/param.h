/* param.h: a table that describes the fields of a struct: the one source of defaults, bounds and words about them.
 *
 * Why: the schema, the form, validation, presets, stored specs and checkpoints all walk the same rows, so a hyper-parameter
 * is one row plus its use.
 * Invariants: every struct described starts from param_defaults; a value that was set is inside its row's bounds.
 * Not here: JSON (api/spec.h).
 */
#ifndef LATENTD_CORE_BASE_PARAM_H
#define LATENTD_CORE_BASE_PARAM_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum param_type {
	PARAM_INT,    /* int64_t */
	PARAM_REAL,   /* double */
	PARAM_BOOL,   /* bool */
	PARAM_ENUM,   /* int: index into choices */
	PARAM_INTS,   /* struct param_ints */
	PARAM_OBJECT, /* a struct that begins with `bool on` and is described by rows of its own; off is written null */
	PARAM_SET,    /* unsigned: bit i is choice i */
	PARAM_JSON,   /* char[max]: the text of a JSON value, of one of the types in choices ("object|array|string|null") */
};

/* What a job that runs lets be changed of it. */
enum param_live {
	PARAM_FIXED,
	PARAM_LIVE,      /* from the next step on */
	PARAM_LIVE_LOSS, /* likewise, and losses before it do not compare with those after it */
};

/* What a job that goes on from the state of another lets be changed of it. */
enum param_fork {
	PARAM_FORK_GROUP,  /* by its group: "net" is the other job's, the rest may change */
	PARAM_FORK_FIXED,  /* the state has its form by it, or the steps of an epoch their number */
	PARAM_FORK_FREE,   /* it may change, though of the net */
	PARAM_FORK_LOSS,   /* it may change, and losses before do not compare with those after; all that are PARAM_LIVE_LOSS */
};

enum { PARAM_INTS_MAX = 16 };

struct param_ints {
	int n;
	int64_t v[PARAM_INTS_MAX];
};

struct param {
	const char *name;
	enum param_type type;
	size_t offset;            /* of the field in its struct */
	const char *by_default;   /* as param_set takes it */
	double min, max;          /* of a number, or of each number of a list; of JSON: the field's bytes; unused for bool and enum */
	const char *choices;      /* enum and set: "adam|adamw|sgd"; JSON: its types */
	const char *group;        /* heading in the form: "net", "training", "data", "output" */
	const char *unit;         /* "epochs", "images"; NULL: a pure number */
	const char *doc;          /* one sentence: what it does, and the value that switches it off */
	int min_items;            /* lists: fewest entries */
	const struct param *rows; /* objects: of the members, offsets within the object's struct */
	enum param_live live;     /* numbers at the top of a table only */
	enum param_fork fork;
};

/* A table ends with a row whose name is NULL. */

/* Row of that name, or NULL. */
const struct param *param_find(const struct param *table, const char *name);
/* The name in the table nearest to `name` (edit distance ≤ 3, and at most half of the letters), or NULL: for "did you mean". */
const char *param_nearest(const struct param *table, const char *name);
/* Sets every field to its row's default. */
void param_defaults(const struct param *table, void *object);

/* Each checks type and bounds; on failure err names "#/params/<name>" and says what was allowed and what came. */
int param_set_number(const struct param *row, void *object, double value, struct err *err);
int param_set_bool(const struct param *row, void *object, bool value, struct err *err);
int param_set_choice(const struct param *row, void *object, const char *choice, struct err *err);
int param_set_ints(const struct param *row, void *object, const double *values, int n, struct err *err);
/* An object on, with the members it has, or off. */
int param_set_on(const struct param *row, void *object, bool on, struct err *err);
/* Any of the choices of a set, in any order; one that comes twice counts once. */
int param_set_choices(const struct param *row, void *object, const char *const *choices, int n, struct err *err);
/* The text of a JSON value, which the caller has checked. */
int param_set_json(const struct param *row, void *object, const char *text, struct err *err);
/* From text: "0.001", "true", "adam", "8,16,32", "hflip,crop" ("" or "-" = empty list or set), "on" or "null" for an object. */
int param_set_text(const struct param *row, void *object, const char *text, struct err *err);
/* "epochs=50 lr=1e-3 channels=8,16,32 prune.amount=0.5": a preset's overrides; a member switches its object on. */
int param_set_all(const struct param *table, void *object, const char *assignments, struct err *err);

/* The struct of an object row, which its members' rows describe. */
void *param_object(const struct param *row, void *object);
bool param_is_on(const struct param *row, const void *object);
/* An error of a member names it within its object: "#/params/patience" becomes "#/params/early_stopping/patience". */
void param_nest(const struct param *row, struct err *err);
double param_number(const struct param *row, const void *object); /* INT, REAL, BOOL (0/1), ENUM (index), SET (bits) */
const struct param_ints *param_ints(const struct param *row, const void *object);
const char *param_json(const struct param *row, const void *object);
/* Both have the same value of it; an object that is off in both is the same whatever its members. */
bool param_equal(const struct param *row, const void *a, const void *b);
/* FIXED, FREE or LOSS: what the group leaves open is settled. */
enum param_fork param_in_fork(const struct param *row);
/* The value for item i of what a list describes: the last one goes on for all that follow. */
static inline int64_t param_ints_at(const struct param_ints *list, int i)
{
	return list->v[i < list->n ? i : list->n - 1];
}
/* The i-th choice of an enum or set row into text[size]; false past the last. */
bool param_choice(const struct param *row, int i, char *text, size_t size);

#endif
