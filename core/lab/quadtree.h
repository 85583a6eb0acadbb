/* quadtree.h: points of a plane in the order of Hilbert's curve, as blocks of LANES, and masses over them.
 *
 * Why: what lies side by side on the curve lies side by side in the plane, without the leaps of other orders; so any LANES points in
 * a row are a compact block, all lanes are in use, and a tree over the blocks, four to a mass, needs no pointers.
 * Invariants: a function of the points alone, in one order of additions. Points that share a cell of the curve (2^16 a side) stand
 * in the order of their indices.
 * Not here: forces (core/kern/kern.h: repel; core/lab/tsne.h).
 */
#ifndef LATENTD_CORE_LAB_QUADTREE_H
#define LATENTD_CORE_LAB_QUADTREE_H

#include "core/base/err.h"
#include "core/base/pool.h"
#include "core/kern/kern.h"

#include <stddef.h>
#include <stdint.h>

enum { TREE_FAN = 4, TREE_LEVELS_MAX = 16 };

/* Around the points of a block. */
struct box {
	float low[2], high[2];
};

struct quadtree {
	size_t n, blocks;
	uint32_t *order;                   /* [blocks LANES]: which point; the last block's spare places say n */
	real *point;                       /* [blocks][2][LANES]; spare places are too far away to count */
	struct box *box;                   /* [blocks] */
	int levels;                        /* level 0 has a mass for each block, the last one has at most TREE_FAN */
	size_t first[TREE_LEVELS_MAX + 1]; /* of each level's masses; the number of all */
	struct mass *mass;
	float *reach;          /* of each mass: squared distance of its farthest point, at most */
	uint32_t *key, *spare; /* scratch */
	struct moments *moments;
};

int quadtree_open(struct quadtree *ret, size_t n, struct err *err);
void quadtree_close(struct quadtree *t);
size_t quadtree_bytes(size_t n);
/* The tree of that map, [n][2]. */
void quadtree_plant(struct quadtree *t, const double *map, struct pool *pool);

/* Who acts on a block's points as masses, and who as blocks: masses that reach less than theta times sqrt(1 + distance^2), the
 * radius within which the series of 1 / (1 + distance^2) converges; theta 0: all as blocks. The lists have room for all. */
struct quadtree_sources {
	uint32_t *far, *near;
	int nfar, nnear;
};
void quadtree_sources(struct quadtree_sources *ret, const struct quadtree *t, size_t block, double theta);

#endif
