#include "core/lab/cloud.h"

#include <stdlib.h>

int cloud_open(struct cloud *ret, size_t n, int d, struct err *err)
{
	if (d < 1 || d > FEATURES_MAX)
		return err_set(err, ERR_INVALID, "features must be 1..%d, got %d", FEATURES_MAX, d);
	real *memory = calloc(n * (size_t)(d + 1) + 1, sizeof *memory);
	if (!memory)
		return err_set(err, ERR_NO_MEMORY, "no memory for %zu rows of features", n);
	*ret = (struct cloud){.n = n, .d = d, .row = memory, .offset = memory + n * (size_t)d};
	return OK;
}

void cloud_close(struct cloud *c)
{
	free(c->row);
	*c = (struct cloud){0};
}

int cloud_block(const struct cloud *c, size_t from, real *ret_block)
{
	const int lanes = c->n - from < LANES ? (int)(c->n - from) : LANES;
	const real *row = c->row + from * (size_t)c->d;
	for (int i = 0; i < c->d; i++)
		for (int l = 0; l < LANES; l++)
			ret_block[i * LANES + l] = l < lanes ? row[l * c->d + i] : 0;
	return lanes;
}

int cloud_products(const struct cloud *c, size_t from, const real *block, const struct kern *k, real *ret_product)
{
	const int n = c->n - from < CLOUD_TILE ? (int)(c->n - from) : CLOUD_TILE;
	k->dense_fwd(ret_product, block, c->row + from * (size_t)c->d, c->offset + from, c->d, n);
	return n;
}
