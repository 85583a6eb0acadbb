#include "core/lab/judge.h"

#include "core/lab/cloud.h"
#include "core/lab/judge_state.h"
#include "core/nn/layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, TASK_BLOCKS = 2, TASK_IMAGES = TASK_BLOCKS * LANES };

/* --- the net -------------------------------------------------------------------------------------------------------------- */

/* The last hidden layer: the last but one that has weights. */
static int find_features(const struct net *net)
{
	int last = -1, before = -1;
	for (int i = 0; i < net->n; i++)
		if (net->layer[i].spec.op == &layer_linear) {
			before = last;
			last = i;
		}
	return before;
}

static int plan_part(struct part *ret, const struct net *whole, int first, int end, struct err *err)
{
	struct layer_spec *rows = malloc((size_t)(end - first) * sizeof *rows);
	if (!rows)
		return err_set(err, ERR_NO_MEMORY, "no memory for the plan of a net");
	for (int i = first; i < end; i++)
		rows[i - first] = whole->layer[i].spec;
	int code = net_plan(&ret->net, whole->name, whole->layer[first].in, rows, end - first, err);
	free(rows);
	return code;
}

/* Where the weights and the buffers of the layers from `first` on begin. */
static void find_weights(struct part *ret, const struct net *whole, int first, const real *w, const real *buffers)
{
	ret->w = w;
	ret->buffers = buffers;
	for (int i = first; i < whole->n; i++)
		if (whole->layer[i].weights) {
			ret->w = w + whole->layer[i].weight;
			break;
		}
	for (int i = first; i < whole->n; i++)
		if (whole->layer[i].buffers) {
			ret->buffers = buffers + whole->layer[i].buffer;
			break;
		}
}

static int plan_net(struct judge *j, const struct model *m, const real *w, struct err *err)
{
	const struct net *whole = &m->net[m->nets - 1];
	const int at = find_features(whole), net = m->nets - 1;
	if (m->nets != 1 || at < 0 || m->classes > VERDICT_CLASSES_MAX || m->classes < 2 ||
		whole->layer[at].out.c > FEATURES_MAX)
		return err_set(err, ERR_INVALID,
			"a judge is a classifier of one net with a hidden layer of at most %d units and at most %d "
			"classes",
			FEATURES_MAX, VERDICT_CLASSES_MAX);
	j->image = m->image;
	j->classes = m->classes;
	j->features = map_features(&whole->layer[at].out);
	size_t bytes = (model_reals(m) * sizeof(real) / ALIGN + 1) * ALIGN;
	if (!(j->w = aligned_alloc(ALIGN, bytes)))
		return err_set(err, ERR_NO_MEMORY, "no memory for the weights of a judge");
	memcpy(j->w, w, model_reals(m) * sizeof(real));
	const real *params = j->w + m->net_offset[net], *buffers = j->w + m->params + m->buffer_offset[net];
	int code = plan_part(&j->body, whole, 0, at + 1, err);
	if (!code)
		code = plan_part(&j->head, whole, at + 1, whole->n, err);
	find_weights(&j->body, whole, 0, params, buffers);
	find_weights(&j->head, whole, at + 1, params, buffers);
	return code;
}

/* --- reading -------------------------------------------------------------------------------------------------------------- */

struct reading {
	const struct judge *j;
	const struct kern *kern;
	const float *images;   /* [n][pixels]; NULL: `bytes` */
	const uint8_t *bytes;  /* [..][pixels] */
	const uint32_t *which; /* [n] of them; NULL: the first n */
	size_t n;
	struct judge_reading ret;
	real **ws; /* [threads]: both parts' workspace, one after the other */
};

static void part_forward(
	const struct part *p, const struct reading *r, real *ws, const float *rows, int lanes, float *ret_rows)
{
	const struct net_run run = {.kern = r->kern, .w = p->w, .buffers = p->buffers, .ws = ws, .lanes = lanes};
	r->kern->load_rows(net_input(&p->net, ws), &p->net.in, rows, lanes);
	net_forward(&p->net, &run);
	r->kern->store_rows(ret_rows, net_output(&p->net, ws), &p->net.out, lanes);
}

static void softmax(float *row, int n)
{
	float largest = row[0];
	double sum = 0;
	for (int i = 1; i < n; i++)
		largest = row[i] > largest ? row[i] : largest;
	for (int i = 0; i < n; i++)
		sum += exp((double)row[i] - (double)largest);
	for (int i = 0; i < n; i++)
		row[i] = (float)(exp((double)row[i] - (double)largest) / sum);
}

/* Images as a block of rows: those given, or made from bytes. */
static const float *take_images(const struct reading *r, size_t from, int lanes, float *scratch)
{
	const size_t pixels = (size_t)map_features(&r->j->image);
	if (r->images)
		return r->images + from * pixels;
	for (int l = 0; l < lanes; l++) {
		const size_t i = from + (size_t)l;
		const uint8_t *image = r->bytes + (r->which ? r->which[i] : i) * pixels;
		for (size_t p = 0; p < pixels; p++)
			scratch[(size_t)l * pixels + p] = (float)image[p] / 255.0F;
	}
	return scratch;
}

static size_t body_reals(const struct judge *j)
{
	return (j->body.net.workspace + LANES - 1) / LANES * LANES;
}

static size_t scratch_floats(const struct judge *j)
{
	return LANES * (size_t)(map_features(&j->image) + j->features + j->classes);
}

static void read_block(const struct reading *r, size_t from, int lanes, real *ws)
{
	const struct judge *j = r->j;
	const size_t d = (size_t)j->features, classes = (size_t)j->classes;
	float *scratch = (float *)(ws + body_reals(j) + j->head.net.workspace);
	float *features = scratch + LANES * map_features(&j->image), *probabilities = features + LANES * d;
	part_forward(&j->body, r, ws, take_images(r, from, lanes, scratch), lanes, features);
	if (r->ret.features)
		memcpy(r->ret.features + from * d, features, (size_t)lanes * d * sizeof *features);
	if (!r->ret.probabilities)
		return;
	part_forward(&j->head, r, ws + body_reals(j), features, lanes, probabilities);
	for (int l = 0; l < lanes; l++)
		softmax(probabilities + (size_t)l * classes, j->classes);
	memcpy(r->ret.probabilities + from * classes, probabilities, (size_t)lanes * classes * sizeof *probabilities);
}

static void read_task(void *ctx, int task, int slot)
{
	const struct reading *r = ctx;
	size_t end = (size_t)(task + 1) * TASK_IMAGES;
	if (end > r->n)
		end = r->n;
	for (size_t from = (size_t)task * TASK_IMAGES; from < end; from += LANES)
		read_block(r, from, end - from < LANES ? (int)(end - from) : LANES, r->ws[slot]);
}

static void *zeroed(size_t bytes)
{
	bytes = (bytes / ALIGN + 1) * ALIGN;
	void *x = aligned_alloc(ALIGN, bytes);
	return x ? memset(x, 0, bytes) : NULL;
}

static int read_all(struct reading *r, struct pool *pool, struct err *err)
{
	const struct judge *j = r->j;
	const int threads = pool_threads(pool);
	const size_t bytes = (body_reals(j) + j->head.net.workspace) * sizeof(real) + scratch_floats(j) * sizeof(float);
	bool enough = (r->ws = calloc((size_t)threads, sizeof *r->ws));
	for (int i = 0; enough && i < threads; i++)
		enough = (r->ws[i] = zeroed(bytes));
	if (enough)
		pool_run(pool, (int)((r->n + TASK_IMAGES - 1) / TASK_IMAGES), read_task, r);
	for (int i = 0; r->ws && i < threads; i++)
		free(r->ws[i]);
	free(r->ws);
	return enough ? OK : err_set(err, ERR_NO_MEMORY, "no memory to look at images");
}

int judge_read(const struct judge *j, struct pool *pool, const struct kern *k, const float *images, size_t n,
	const struct judge_reading *ret, struct err *err)
{
	return read_all(&(struct reading){.j = j, .kern = k, .images = images, .n = n, .ret = *ret}, pool, err);
}

/* --- opening -------------------------------------------------------------------------------------------------------------- */

static float *floats(size_t n, struct err *err)
{
	float *x = malloc((n + 1) * sizeof *x);
	if (!x)
		err_set(err, ERR_NO_MEMORY, "no memory for %zu features", n);
	return x;
}

static int look_at_tests(
	struct judge *j, const struct dataset *d, struct pool *pool, const struct kern *k, struct err *err)
{
	const struct dataset_split *s = &d->split[SPLIT_TEST];
	struct moments m;
	j->tests = s->n;
	j->floors = d->split[SPLIT_TRAIN].n < JUDGE_IMAGES_MAX ? d->split[SPLIT_TRAIN].n : JUDGE_IMAGES_MAX;
	if (d->c != j->image.c || d->h != j->image.h || d->w != j->image.w || d->classes != j->classes)
		return err_set(
			err, ERR_INVALID, "data set %s has other images or classes than the judge was trained on", d->name);
	if (s->n < 2 * (size_t)j->features)
		return err_set(
			err, ERR_INVALID, "data set %s has too few test images to tell how %d features vary", d->name, j->features);
	if (!(j->test = floats(s->n * (size_t)j->features, err)))
		return ERR_NO_MEMORY;
	struct reading r = {.j = j, .kern = k, .bytes = s->images, .n = s->n, .ret = {.features = j->test}};
	int code = read_all(&r, pool, err);
	if (!code)
		code = moments_of(&m, j->test, s->n, (size_t)j->features, pool, err);
	if (code)
		return code;
	code = normal_of(&j->reference, &m, err);
	moments_free(&m);
	return code;
}

int judge_open(struct judge **ret, const struct model *m, const real *w, const struct dataset *d, struct pool *pool,
	const struct kern *k, struct err *err)
{
	struct judge *j = calloc(1, sizeof *j);
	if (!j)
		return err_set(err, ERR_NO_MEMORY, "no memory for a judge");
	int code = plan_net(j, m, w, err);
	if (!code)
		code = look_at_tests(j, d, pool, k, err);
	if (code) {
		judge_close(j);
		return code;
	}
	snprintf(j->dataset_sha256, sizeof j->dataset_sha256, "%s", d->sha256);
	*ret = j;
	return OK;
}

void judge_close(struct judge *j)
{
	if (!j)
		return;
	normal_free(&j->reference);
	free(j->test);
	free(j->floor);
	free(j->w);
	free(j);
}

int judge_features(const struct judge *j)
{
	return j->features;
}

int judge_classes(const struct judge *j)
{
	return j->classes;
}

const char *judge_dataset(const struct judge *j)
{
	return j->dataset_sha256;
}

int judge_floor(struct judge *j, struct pool *pool, const struct kern *k, const struct dataset *d, struct err *err)
{
	const struct dataset_split *s = &d->split[SPLIT_TRAIN];
	float *there = NULL;
	if (__atomic_load_n(&j->floor, __ATOMIC_ACQUIRE))
		return OK;
	if (strcmp(d->sha256, j->dataset_sha256) != 0)
		return err_set(err, ERR_INVALID, "data set %s is not the one that the judge knows", d->name);
	const size_t n = j->floors;
	float *mine = floats(n * (size_t)j->features, err);
	uint32_t *order = malloc((s->n + 1) * sizeof *order);
	int code = mine && order ? OK : err_set(err, ERR_NO_MEMORY, "no memory for %zu features", n);
	if (!code) {
		rng_permutation(order, (uint32_t)s->n, (struct rng){.stream = RNG_JUDGE});
		struct reading r = {.j = j, .kern = k, .bytes = s->images, .which = order, .n = n, .ret = {.features = mine}};
		code = read_all(&r, pool, err);
	}
	free(order);
	/* who comes meanwhile works out the same; the first to end is kept */
	if (code || !__atomic_compare_exchange_n(&j->floor, &there, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		free(mine);
	return code;
}
