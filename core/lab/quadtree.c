#include "core/lab/quadtree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRAIN = 64 /* blocks */, BITS = 16, DIGIT = 11, DIGITS = 1 << DIGIT };
static const real far_away = (real)1e15; /* 1 / (1 + distance^2) is nothing beside a point's own 1 */

/* Of a mass, before rounding. */
struct moments {
	double n, x, y, xx, xy, yy;
	struct box box;
};

/* --- memory ---------------------------------------------------------------------------------------------------------------- */

static size_t masses_of(struct quadtree *t, size_t blocks)
{
	size_t all = 0, level = blocks;
	t->levels = 0;
	do {
		t->first[t->levels++] = all;
		all += level;
	} while (level > TREE_FAN && (level = (level + TREE_FAN - 1) / TREE_FAN));
	t->first[t->levels] = all;
	return all;
}

int quadtree_open(struct quadtree *ret, size_t n, struct err *err)
{
	struct quadtree t = {.n = n, .blocks = (n + LANES - 1) / LANES};
	const size_t places = t.blocks * LANES, masses = masses_of(&t, t.blocks);
	t.order = calloc(places, sizeof *t.order);
	t.key = calloc(places, sizeof *t.key);
	t.spare = calloc(2 * places, sizeof *t.spare);
	t.point = calloc(places, 2 * sizeof *t.point);
	t.box = calloc(t.blocks, sizeof *t.box);
	t.mass = calloc(masses, sizeof *t.mass);
	t.reach = calloc(masses, sizeof *t.reach);
	t.moments = calloc(masses, sizeof *t.moments);
	if (!t.order || !t.key || !t.spare || !t.point || !t.box || !t.mass || !t.reach || !t.moments) {
		quadtree_close(&t);
		return err_set(err, ERR_NO_MEMORY, "no memory for a tree of %zu points", n);
	}
	*ret = t;
	return OK;
}

void quadtree_close(struct quadtree *t)
{
	free(t->order);
	free(t->key);
	free(t->spare);
	free(t->point);
	free(t->box);
	free(t->mass);
	free(t->reach);
	free(t->moments);
	*t = (struct quadtree){0};
}

size_t quadtree_bytes(size_t n)
{
	struct quadtree t;
	const size_t blocks = (n + LANES - 1) / LANES, masses = masses_of(&t, blocks);
	return blocks * LANES * (4 * sizeof(uint32_t) + 2 * sizeof(real)) + blocks * sizeof(struct box) +
		   masses * (sizeof(struct mass) + sizeof(float) + sizeof(struct moments));
}

/* --- the curve ------------------------------------------------------------------------------------------------------------- */

struct planting {
	struct quadtree *tree;
	const double *map;
	double low[2], scale;
};

/* Where on Hilbert's curve a cell lies. */
static uint32_t curve_place(uint32_t x, uint32_t y)
{
	uint32_t place = 0;
	for (uint32_t half = 1u << (BITS - 1); half; half >>= 1) {
		const uint32_t right = (x & half) != 0, up = (y & half) != 0;
		place = place << 2 | ((3 * right) ^ up);
		const uint32_t flip = -(right & ~up & 1u), turn = -(~up & 1u); /* all ones or nothing */
		x ^= flip;
		y ^= flip;
		const uint32_t swap = (x ^ y) & turn;
		x ^= swap;
		y ^= swap;
	}
	return place;
}

static uint32_t cell(double at, double low, double scale)
{
	const double x = (at - low) * scale, most = (1 << BITS) - 1;
	return (uint32_t)(x > 0 ? x < most ? x : most : 0); /* NaN: 0 */
}

static void key_task(void *ctx, int task, int slot)
{
	const struct planting *p = ctx;
	const size_t first = (size_t)task * GRAIN * LANES, n = p->tree->n;
	(void)slot;
	for (size_t i = first; i < first + GRAIN * LANES && i < n; i++)
		p->tree->key[i] =
			curve_place(cell(p->map[2 * i], p->low[0], p->scale), cell(p->map[2 * i + 1], p->low[1], p->scale));
}

/* One digit, stable. order NULL: 0, 1, 2, … */
static void sort_digit(
	uint32_t *to_key, uint32_t *to_order, const uint32_t *key, const uint32_t *order, size_t n, int shift)
{
	size_t at[DIGITS] = {0}, sum = 0;
	for (size_t i = 0; i < n; i++)
		at[key[i] >> shift & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		const size_t count = at[d];
		at[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++) {
		const size_t to = at[key[i] >> shift & (DIGITS - 1)]++;
		to_key[to] = key[i];
		to_order[to] = order ? order[i] : (uint32_t)i;
	}
}

static void sort_points(struct quadtree *t)
{
	uint32_t *key = t->spare, *order = t->spare + t->blocks * LANES;
	sort_digit(key, order, t->key, NULL, t->n, 0);
	sort_digit(t->key, t->order, key, order, t->n, DIGIT);
	sort_digit(key, order, t->key, t->order, t->n, 2 * DIGIT);
	memcpy(t->order, order, t->n * sizeof *order);
	for (size_t i = t->n; i < t->blocks * LANES; i++)
		t->order[i] = (uint32_t)t->n;
}

/* --- masses ---------------------------------------------------------------------------------------------------------------- */

static void box_add(struct box *b, const struct box *other)
{
	for (int a = 0; a < 2; a++) {
		b->low[a] = other->low[a] < b->low[a] ? other->low[a] : b->low[a];
		b->high[a] = other->high[a] > b->high[a] ? other->high[a] : b->high[a];
	}
}

/* Moments about the common mean, of m[0 … count - 1]. */
static struct moments merge(const struct moments *m, size_t count)
{
	struct moments s = {.box = m[0].box};
	for (size_t i = 0; i < count; i++) {
		s.n += m[i].n;
		s.x += m[i].n * m[i].x;
		s.y += m[i].n * m[i].y;
		box_add(&s.box, &m[i].box);
	}
	s.x /= s.n;
	s.y /= s.n;
	for (size_t i = 0; i < count; i++) {
		const double dx = m[i].x - s.x, dy = m[i].y - s.y;
		s.xx += m[i].xx + m[i].n * dx * dx;
		s.xy += m[i].xy + m[i].n * dx * dy;
		s.yy += m[i].yy + m[i].n * dy * dy;
	}
	return s;
}

static double farther(double at, double low, double high)
{
	return at - low > high - at ? at - low : high - at;
}

static void settle_mass(struct quadtree *t, size_t i)
{
	const struct moments *m = &t->moments[i];
	t->mass[i] = (struct mass){.x = (real)m->x,
		.y = (real)m->y,
		.n = (real)m->n,
		.trace = (real)(m->xx + m->yy),
		.xx = (real)(4 * m->xx),
		.xy = (real)(4 * m->xy),
		.yy = (real)(4 * m->yy)};
	const double x = farther(m->x, (double)m->box.low[0], (double)m->box.high[0]);
	const double y = farther(m->y, (double)m->box.low[1], (double)m->box.high[1]);
	t->reach[i] = (float)(x * x + y * y);
}

static void block_points(struct planting *p, size_t b)
{
	struct quadtree *t = p->tree;
	struct moments one[LANES];
	const size_t count = t->n - b * LANES < LANES ? t->n - b * LANES : LANES;
	real *point = t->point + b * 2 * LANES;
	for (size_t l = 0; l < LANES; l++)
		point[l] = point[LANES + l] = far_away;
	for (size_t l = 0; l < count; l++) {
		const double *at = p->map + 2 * (size_t)t->order[b * LANES + l];
		const float x = (float)at[0], y = (float)at[1];
		point[l] = (real)at[0];
		point[LANES + l] = (real)at[1];
		one[l] = (struct moments){.n = 1, .x = at[0], .y = at[1], .box = {{x, y}, {x, y}}};
	}
	t->moments[b] = merge(one, count);
	t->box[b] = t->moments[b].box;
	settle_mass(t, b);
}

static void block_task(void *ctx, int task, int slot)
{
	struct planting *p = ctx;
	const size_t first = (size_t)task * GRAIN;
	(void)slot;
	for (size_t b = first; b < first + GRAIN && b < p->tree->blocks; b++)
		block_points(p, b);
}

static void settle_frame(struct planting *p)
{
	double high[2] = {-INFINITY, -INFINITY};
	p->low[0] = p->low[1] = INFINITY;
	for (size_t i = 0; i < 2 * p->tree->n; i++) {
		const double at = p->map[i];
		p->low[i & 1] = at < p->low[i & 1] ? at : p->low[i & 1];
		high[i & 1] = at > high[i & 1] ? at : high[i & 1];
	}
	const double w = high[0] - p->low[0], h = high[1] - p->low[1], side = w > h ? w : h;
	p->scale = side > 0 ? (1 << BITS) / side : 0;
}

void quadtree_plant(struct quadtree *t, const double *map, struct pool *pool)
{
	struct planting p = {.tree = t, .map = map};
	const int tasks = (int)((t->blocks + GRAIN - 1) / GRAIN);
	settle_frame(&p);
	pool_run(pool, tasks, key_task, &p);
	sort_points(t);
	pool_run(pool, tasks, block_task, &p);
	for (int level = 1; level < t->levels; level++)
		for (size_t i = t->first[level], child = t->first[level - 1]; i < t->first[level + 1]; i++, child += TREE_FAN) {
			const size_t left = t->first[level] - child;
			t->moments[i] = merge(t->moments + child, left < TREE_FAN ? left : TREE_FAN);
			settle_mass(t, i);
		}
}

/* --- who acts on whom ------------------------------------------------------------------------------------------------------ */

static float gap(float at, float low, float high)
{
	const float before = low - at, beyond = at - high, most = before > beyond ? before : beyond;
	return most > 0 ? most : 0;
}

void quadtree_sources(struct quadtree_sources *ret, const struct quadtree *t, size_t block, double theta)
{
	const struct box box = t->box[block];
	const float strict = (float)(1 / (theta * theta));
	struct {
		int level;
		size_t at, end;
	} stack[TREE_LEVELS_MAX];
	int depth = 0, level = t->levels - 1;
	size_t at = t->first[level], end = t->first[level + 1];
	ret->nfar = ret->nnear = 0;
	for (;;) {
		if (at == end) {
			if (!depth)
				return;
			depth--;
			level = stack[depth].level;
			at = stack[depth].at;
			end = stack[depth].end;
			continue;
		}
		const size_t i = at++;
		const float x = gap((float)t->mass[i].x, box.low[0], box.high[0]);
		const float y = gap((float)t->mass[i].y, box.low[1], box.high[1]);
		if (t->reach[i] * strict <= 1 + x * x + y * y) {
			ret->far[ret->nfar++] = (uint32_t)i;
		} else if (!level) {
			ret->near[ret->nnear++] = (uint32_t)i;
		} else {
			stack[depth].level = level;
			stack[depth].at = at;
			stack[depth++].end = end;
			const size_t below = t->first[--level], least = below + (i - t->first[level + 1]) * TREE_FAN;
			end = least + TREE_FAN < t->first[level + 1] ? least + TREE_FAN : t->first[level + 1];
			at = least;
		}
	}
}
