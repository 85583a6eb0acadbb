#include "core/model/kmeans.h"

#include "core/base/rng.h"

#include <stdlib.h>
#include <string.h>

enum { TURNS = 5 };

struct seeds {
	const float *codes;
	size_t n, d;
	int centres;
	double *centre; /* [centres][d] */
	int *label;     /* [n] */
	double *far;    /* [n]: squared distance to the nearest centre */
	double *sum;    /* [centres][d] */
};

static double distance(const float *code, const double *centre, size_t d)
{
	double sum = 0;
	for (size_t i = 0; i < d; i++)
		sum += ((double)code[i] - centre[i]) * ((double)code[i] - centre[i]);
	return sum;
}

static void meet_centre(struct seeds *s, const double *centre, int label)
{
	for (size_t i = 0; i < s->n; i++) {
		double far = distance(s->codes + i * s->d, centre, s->d);
		if (label == 0 || far < s->far[i]) {
			s->far[i] = far;
			s->label[i] = label;
		}
	}
}

/* A code with a probability in proportion to its squared distance from the centres so far; u in [0, 1). */
static size_t far_code(const struct seeds *s, double u)
{
	double total = 0, sum = 0;
	for (size_t i = 0; i < s->n; i++)
		total += s->far[i];
	for (size_t i = 0; i < s->n; i++) {
		sum += s->far[i];
		if (sum > u * total)
			return i;
	}
	return s->n - 1;
}

static void choose_centres(struct seeds *s)
{
	float u[KMEANS_CENTRES_MAX];
	rng_uniform(u, (size_t)s->centres, (struct rng){.stream = RNG_MIXTURE, .step = (uint64_t)s->centres}, 0, 1);
	for (int c = 0; c < s->centres; c++) {
		size_t chosen = c ? far_code(s, (double)u[c]) : (size_t)((double)u[0] * (double)s->n);
		double *centre = s->centre + (size_t)c * s->d;
		for (size_t i = 0; i < s->d; i++)
			centre[i] = (double)s->codes[chosen * s->d + i];
		meet_centre(s, centre, c);
	}
}

static void move_centres(struct seeds *s)
{
	double count[KMEANS_CENTRES_MAX] = {0};
	memset(s->sum, 0, (size_t)s->centres * s->d * sizeof *s->sum);
	for (size_t i = 0; i < s->n; i++) {
		count[s->label[i]]++;
		for (size_t j = 0; j < s->d; j++)
			s->sum[(size_t)s->label[i] * s->d + j] += (double)s->codes[i * s->d + j];
	}
	for (int c = 0; c < s->centres; c++)
		for (size_t j = 0; count[c] > 0 && j < s->d; j++)
			s->centre[(size_t)c * s->d + j] = s->sum[(size_t)c * s->d + j] / count[c];
}

int kmeans(int *ret_label, double *ret_centre, int centres, const float *codes, size_t n, size_t d, struct err *err)
{
	struct seeds s = {.codes = codes, .n = n, .d = d, .centres = centres, .centre = ret_centre, .label = ret_label};
	s.far = calloc(n + (size_t)centres * d, sizeof *s.far);
	if (!s.far)
		return err_set(err, ERR_NO_MEMORY, "no memory for %d clusters", centres);
	s.sum = s.far + n;
	choose_centres(&s);
	for (int turn = 0; turn < TURNS; turn++) {
		move_centres(&s);
		for (int c = 0; c < centres; c++)
			meet_centre(&s, ret_centre + (size_t)c * d, c);
	}
	free(s.far);
	return OK;
}
