#include "core/model/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/shape.h"

static const struct {
	const char *name;
	size_t size;
} dtypes[DTYPE_COUNT] = {
	[DTYPE_U8] = {"U8", 1},
	[DTYPE_I64] = {"I64", 8},
	[DTYPE_F32] = {"F32", 4},
	[DTYPE_F64] = {"F64", 8},
};

size_t dtype_size(enum dtype t)
{
	return dtypes[t].size;
}

const char *dtype_name(enum dtype t)
{
	return dtypes[t].name;
}

enum dtype dtype_real(void)
{
	return sizeof(real) == sizeof(double) ? DTYPE_F64 : DTYPE_F32;
}

void state_free(struct state *s)
{
	free(s->tensor);
	*s = (struct state){0};
}

static bool grow(struct state *s)
{
	if (s->n < s->cap)
		return true;
	int cap = s->cap ? 2 * s->cap : 64;
	struct tensor *tensor = realloc(s->tensor, (size_t)cap * sizeof *tensor);
	if (!tensor)
		return false;
	s->tensor = tensor;
	s->cap = cap;
	return true;
}

void state_add(struct state *s, const char *name, enum dtype dtype, int rank, const int64_t *shape, void *data)
{
	struct tensor t = {.dtype = dtype, .rank = rank, .data = data};
	int length = snprintf(t.name, sizeof t.name, "%s", name);
	for (int i = 0; i < rank; i++)
		t.shape[i] = shape[i];
	if (length >= (int)sizeof t.name || !shape_bytes(shape, rank, dtype_size(dtype), &t.bytes) || !grow(s)) {
		s->failed = 1;
		return;
	}
	s->tensor[s->n++] = t;
}

void state_add_fields(struct state *s, const char *prefix, const struct state_field *fields, void *base)
{
	for (const struct state_field *f = fields; f->name; f++) {
		char name[sizeof((struct tensor *)0)->name];
		snprintf(name, sizeof name, "%s.%s", prefix, f->name);
		state_add(s, name, f->dtype, 1, &f->n, (char *)base + f->offset);
	}
}

const struct tensor *state_find(const struct state *s, const char *name)
{
	for (int i = 0; i < s->n; i++)
		if (!strcmp(s->tensor[i].name, name))
			return &s->tensor[i];
	return NULL;
}

/* Which of a model's tensors a list is made of. */
enum choice { WITH_BUFFERS, PARAMETERS, MATRICES };

static bool chosen(const struct net_tensor *t, enum choice which)
{
	return which == WITH_BUFFERS || (!t->buffer && (which == PARAMETERS || t->rank >= 2));
}

/* block: elements of type dtype, as the model's block of weights lies. */
static void add_tensors(
	struct state *s, const char *prefix, const struct model *m, void *block, enum dtype dtype, enum choice which)
{
	for (int i = 0; i < m->nets; i++) {
		struct net_tensor t;
		size_t offset;
		for (int k = 0; model_tensor(m, i, k, &t, &offset); k++) {
			char name[sizeof((struct tensor *)0)->name + 1];
			snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? "." : "", t.name);
			if (chosen(&t, which))
				state_add(s, name, dtype, t.rank, t.shape, (char *)block + offset * dtype_size(dtype));
		}
	}
}

void state_add_prefixed(struct state *s, const char *prefix, const struct model *m, real *block, bool buffers)
{
	add_tensors(s, prefix, m, block, dtype_real(), buffers ? WITH_BUFFERS : PARAMETERS);
}

void state_add_mask(struct state *s, const char *prefix, const struct model *m, uint8_t *mask)
{
	add_tensors(s, prefix, m, mask, DTYPE_U8, MATRICES);
}

void state_add_model(struct state *s, const struct model *m, real *w)
{
	add_tensors(s, "", m, w, dtype_real(), WITH_BUFFERS);
}

static bool same_form(const struct tensor *a, const struct tensor *b)
{
	return a->dtype == b->dtype && a->rank == b->rank &&
		   !memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape);
}

int state_copy(const struct state *live, const struct state *saved, struct err *err)
{
	for (int i = 0; i < live->n; i++) {
		const struct tensor *from = state_find(saved, live->tensor[i].name);
		if (!from)
			return err_set(err, ERR_CORRUPT, "tensor '%s' is missing", live->tensor[i].name);
		if (!same_form(from, &live->tensor[i]))
			return err_set(err, ERR_CORRUPT, "tensor '%s' has another shape or type than the model's", from->name);
	}
	for (int i = 0; i < live->n; i++)
		memcpy(live->tensor[i].data, state_find(saved, live->tensor[i].name)->data, live->tensor[i].bytes);
	return OK;
}

static double number_at(const struct tensor *t, size_t i)
{
	const char *at = (const char *)t->data + i * dtype_size(t->dtype);
	int64_t whole;
	float single;
	double value;
	switch (t->dtype) {
	case DTYPE_U8:
		return *(const uint8_t *)at;
	case DTYPE_I64:
		memcpy(&whole, at, sizeof whole);
		return (double)whole;
	case DTYPE_F32:
		memcpy(&single, at, sizeof single);
		return (double)single;
	default:
		memcpy(&value, at, sizeof value);
		return value;
	}
}

static bool tensor_differs(const struct tensor *a, const struct tensor *b, struct state_difference *ret)
{
	const size_t size = dtype_size(a->dtype);
	size_t i = 0;
	ret->index = -1;
	if (!b || !same_form(a, b))
		return true;
	if (!memcmp(a->data, b->data, a->bytes))
		return false;
	while (!memcmp((const char *)a->data + i * size, (const char *)b->data + i * size, size))
		i++;
	ret->index = (int64_t)i;
	ret->live = number_at(a, i);
	ret->saved = number_at(b, i);
	return true;
}

bool state_differs(const struct state *live, const struct state *saved, struct state_difference *ret)
{
	for (int i = 0; i < live->n; i++) {
		struct state_difference d = {0};
		if (!tensor_differs(&live->tensor[i], state_find(saved, live->tensor[i].name), &d))
			continue;
		memcpy(d.name, live->tensor[i].name, sizeof d.name);
		*ret = d;
		return true;
	}
	return false;
}
