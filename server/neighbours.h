/* neighbours.h: the training images nearest to a code or to an image, as a reply tells of them. */
#ifndef LATENTD_SERVER_NEIGHBOURS_H
#define LATENTD_SERVER_NEIGHBOURS_H

#include "core/lab/nearest.h"
#include "server/model_code.h"

/* What near means: how far codes are apart, or pixels. */
#define NEAR_SPACES(X)     \
	X(NEAR_CODES, "codes") \
	X(NEAR_PIXELS, "pixels")
enum near_space {
#define X(space, name) space,
	NEAR_SPACES(X)
#undef X
		NEAR_SPACE_COUNT
};
/* -1 if there is none of that name. */
int near_space_find(const char *name);

struct neighbours {
	enum near_space space;
	int k;
	struct neighbour near[NEAREST_MAX];
};
/* Fills in near: the n->k training images of w->data (which is there then) nearest to the query, a code or pixels as n->space
 * says. ERR_INVALID at `pointer` if there are not so many. */
int neighbours_find(struct coder *w, struct neighbours *n, const float *query, const char *pointer, struct err *err);
/* Members: space, k, split, and the columns index, label, class, distance. */
void neighbours_write(struct jsonw *w, const struct neighbours *n, const struct dataset *d);
/* Their images. rows_free. */
int neighbours_images(const struct neighbours *n, const struct dataset *d, struct rows *ret, struct err *err);

#endif
