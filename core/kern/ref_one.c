/* References for one sample by itself. */
#include "core/kern/ref.h"

void ref_dense_one(real *y, const real *x, const real *w, const real *b, int in, int out)
{
	for (int o = 0; o < out; o++) {
		double sum = b ? (double)b[o] : 0;
		for (int i = 0; i < in; i++)
			sum += (double)x[i] * (double)w[(size_t)o * (size_t)in + (size_t)i];
		y[o] = (real)sum;
	}
}

static bool lands(int at, int tap, int size, const struct conv *g, int *ret)
{
	int from = at + g->padding - tap;
	*ret = from / g->stride;
	return from >= 0 && from % g->stride == 0 && *ret < size;
}

static double up_at(const real *small, const real *w, const struct conv *g, int c, int y, int x)
{
	double sum = 0;
	int sy, sx;
	for (int o = 0; o < g->small.c; o++)
		for (int kh = 0; kh < g->kernel; kh++)
			for (int kw = 0; kw < g->kernel; kw++)
				if (lands(y, kh, g->small.h, g, &sy) && lands(x, kw, g->small.w, g, &sx))
					sum += (double)small[(o * g->small.h + sy) * g->small.w + sx] *
						   (double)w[((o * g->big.c + c) * g->kernel + kh) * g->kernel + kw];
	return sum;
}

void ref_conv_up_one(real *big, const real *small, real *scratch, const real *w, const real *bias, const struct conv *g)
{
	(void)scratch;
	for (int c = 0; c < g->big.c; c++)
		for (int y = 0; y < g->big.h; y++)
			for (int x = 0; x < g->big.w; x++, big++)
				*big = (real)(up_at(small, w, g, c, y, x) + (bias ? (double)bias[c] : 0));
}
