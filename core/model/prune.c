/* prune.c: the smallest weights of linear and convolution layers go, for good.
 *
 * Source: torch.nn.utils.prune, L1Unstructured and global_unstructured: round(amount * weights still there) go, biases and norms
 * stay; a repeated call looks at the remainder. Cubic schedule: Zhu & Gupta 2017. Ties go by position, which torch leaves open.
 * What is pruned stays 0: its gradient is masked (step.c), and its moments are zeroed here, which torch does not do and which
 * makes the masked weight equal to no weight at all.
 */
#include "core/model/trainer.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
	const struct prune_rank *x = a, *y = b;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

/* The weights of layers have two axes or more; biases and norms have one. */
static bool prunable(const struct net_tensor *tensor)
{
	return tensor->rank >= 2 && !tensor->buffer;
}

/* A range of the block of weights that is ranked as one list with its neighbours, or by itself. */
struct ranking {
	size_t weights; /* in all, pruned ones too */
	size_t left;    /* in t->rank */
};

static void rank_tensor(struct trainer *t, struct ranking *r, const struct net_tensor *tensor, size_t offset)
{
	r->weights += tensor->count;
	for (size_t i = offset; i < offset + tensor->count; i++)
		if (t->mask[i])
			t->rank[r->left++] = (struct prune_rank){t->w[i] < 0 ? -t->w[i] : t->w[i], (uint32_t)i};
}

static void take_out(struct trainer *t, size_t i)
{
	t->mask[i] = 0;
	t->w[i] = 0;
	for (int k = 0; k < t->moments; k++)
		t->moment[k][i] = 0;
	if (t->ema)
		t->ema[i] = 0;
}

/* rint: Python rounds halves to even, and so does torch. */
static size_t how_many(const struct prune_params *p, const struct ranking *r, int64_t epoch)
{
	if (p->schedule == PRUNE_REPEAT)
		return (size_t)rint(p->amount * (double)r->left);
	int64_t last = p->start_epoch + (p->end_epoch - p->start_epoch) / p->every * p->every;
	double at = last > p->start_epoch ? (double)(epoch - p->start_epoch) / (double)(last - p->start_epoch) : 1;
	double share = p->amount * (1 - (1 - at) * (1 - at) * (1 - at));
	size_t wanted = (size_t)rint(share * (double)r->weights), gone = r->weights - r->left;
	return wanted > gone ? wanted - gone : 0;
}

static void prune_ranked(struct trainer *t, const struct ranking *r, int64_t epoch)
{
	size_t n = how_many(&t->p->prune, r, epoch);
	qsort(t->rank, r->left, sizeof *t->rank, by_size);
	for (size_t i = 0; i < n; i++)
		take_out(t, t->rank[i].at);
}

bool prune_due(const struct prune_params *p, int64_t epoch)
{
	int64_t end = p->end_epoch ? p->end_epoch : p->start_epoch;
	return p->on && epoch >= p->start_epoch && epoch <= end && (epoch - p->start_epoch) % p->every == 0;
}

bool trainer_prune(struct trainer *t, int64_t epoch)
{
	if (!prune_due(&t->p->prune, epoch))
		return false;
	struct ranking r = {0};
	struct net_tensor tensor;
	size_t offset;
	bool global = t->p->prune.method == PRUNE_L1_GLOBAL;
	for (int net = 0; net < t->m->nets; net++)
		for (int i = 0; model_tensor(t->m, net, i, &tensor, &offset); i++) {
			if (!prunable(&tensor))
				continue;
			if (!global)
				r = (struct ranking){0};
			rank_tensor(t, &r, &tensor, offset);
			if (!global)
				prune_ranked(t, &r, epoch);
		}
	if (global)
		prune_ranked(t, &r, epoch);
	return true;
}

double trainer_sparsity(const struct trainer *t)
{
	struct net_tensor tensor;
	size_t offset, weights = 0, gone = 0;
	for (int net = 0; net < t->m->nets; net++)
		for (int i = 0; model_tensor(t->m, net, i, &tensor, &offset); i++)
			for (size_t k = 0; prunable(&tensor) && k < tensor.count; k++) {
				weights++;
				gone += !t->mask[offset + k];
			}
	return weights ? (double)gone / (double)weights : 0;
}
