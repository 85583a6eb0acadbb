/* state.h: anything that must survive, as a list of named tensors: the one form of a checkpoint and of an export.
 *
 * Why: resume, export, fork and verify compare and copy names, shapes and bytes, and know no kind.
 * Owner: the list is the caller's (state_free); data points into whoever's memory it was made from.
 * Not here: bytes on disk (api/safetensors.h).
 */
#ifndef LATENTD_CORE_MODEL_STATE_H
#define LATENTD_CORE_MODEL_STATE_H

#include "core/base/err.h"
#include "core/model/model.h"

#include <stddef.h>
#include <stdint.h>

enum dtype { DTYPE_U8, DTYPE_I64, DTYPE_F32, DTYPE_F64, DTYPE_COUNT };
size_t dtype_size(enum dtype t);
const char *dtype_name(enum dtype t); /* safetensors': "U8", "I64", "F32", "F64" */
enum dtype dtype_real(void);

struct tensor {
	char name[96];
	enum dtype dtype;
	int rank;
	int64_t shape[4];
	void *data;
	size_t bytes;
};

struct state {
	struct tensor *tensor; /* malloc'd */
	int n, cap;
	int failed; /* an append ran out of memory: check once at the end */
};

void state_free(struct state *s);
void state_add(struct state *s, const char *name, enum dtype dtype, int rank, const int64_t *shape, void *data);
/* A field of a struct that is state: n numbers in a row. */
struct state_field {
	const char *name; /* NULL: the end of the table */
	enum dtype dtype;
	size_t offset;
	int64_t n;
};
#define STATE_F64(struct_, field) STATE_FIELD(DTYPE_F64, double, struct_, field)
#define STATE_I64(struct_, field) STATE_FIELD(DTYPE_I64, int64_t, struct_, field)
#define STATE_FIELD(dtype_, c_type, struct_, field) \
	{#field, dtype_, offsetof(struct_, field), sizeof(((struct_ *)0)->field) / sizeof(c_type)}
/* Each as "prefix.name", a vector, in *base. */
void state_add_fields(struct state *s, const char *prefix, const struct state_field *fields, void *base);
const struct tensor *state_find(const struct state *s, const char *name);
/* Every tensor of the model's nets, pointing into w: the export. */
void state_add_model(struct state *s, const struct model *m, real *w);
/* As state_add_model with "prefix." before each name, with or without the buffers: moments have none. */
void state_add_prefixed(struct state *s, const char *prefix, const struct model *m, real *block, bool buffers);
/* A byte per parameter: "prefix." before the names of weights with two axes or more, which are those that can be pruned. */
void state_add_mask(struct state *s, const char *prefix, const struct model *m, uint8_t *mask);
/* The first tensor of `live` that `saved` has not, or not bit for bit, and the first number in it; false: there is none. */
struct state_difference {
	char name[sizeof((struct tensor *)0)->name];
	int64_t index;      /* of the number; -1: missing, or of another shape or type */
	double live, saved; /* as far as a double tells */
};
bool state_differs(const struct state *live, const struct state *saved, struct state_difference *ret);
/* Copies from `saved` into every tensor of `live`; ERR_CORRUPT names the first that is missing or has another shape. */
int state_copy(const struct state *live, const struct state *saved, struct err *err);

#endif
