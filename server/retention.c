#include "server/retention.h"

#include "server/blob.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { NEWEST_KEPT = 2 };

static bool is_needed(const struct checkpoint_info *c, const int needed[2])
{
	return c->epoch == needed[0] || c->epoch == needed[1];
}

/* How many have a lower loss. One that has none is behind all. */
static int rank(const struct checkpoint_info *all, int n, int at)
{
	int better = 0;
	for (int i = 0; i < n; i++)
		better += i != at && (isnan(all[at].monitor) || all[i].monitor < all[at].monitor);
	return better;
}

static bool stays(const struct retention_params *p, const struct checkpoint_info *all, int n, int at)
{
	return !p->on || at >= n - p->keep_last || (p->every && all[at].epoch % p->every == 0) ||
		   rank(all, n, at) < p->keep_best;
}

static void swap(struct checkpoint_info *a, struct checkpoint_info *b)
{
	struct checkpoint_info c = *a;
	*a = *b;
	*b = c;
}

/* Entry `at` of the part that stays joins the `gone` in front; those that stay keep their order. */
static void let_go(struct checkpoint_info *all, int gone, int at)
{
	for (int i = at; i > gone; i--)
		swap(&all[i], &all[i - 1]);
}

/* Of those that stay, the one that is missed least, or -1. */
static int least_missed(const struct checkpoint_info *all, int n, const int needed[2])
{
	int at = -1, least = 0;
	for (int i = 0; i < n - NEWEST_KEPT; i++) {
		int gap = all[i + 1].epoch - (i ? all[i - 1].epoch : 0);
		if (!is_needed(&all[i], needed) && (at < 0 || gap < least)) {
			at = i;
			least = gap;
		}
	}
	return at;
}

void retention_apply(
	const struct retention_params *p, const int needed[2], size_t budget_bytes, struct checkpoint_info *all, int *n)
{
	int gone = 0, at;
	size_t total = 0;
	/* judged before any moves: entries further on look at those in front only by their values, never by their place */
	for (int i = 0; i < *n - NEWEST_KEPT; i++)
		if (!is_needed(&all[i], needed) && !stays(p, all, *n, i))
			let_go(all, gone++, i);
	for (int i = gone; i < *n; i++)
		total += all[i].bytes;
	while (total > budget_bytes && (at = least_missed(all + gone, *n - gone, needed)) >= 0) {
		total -= all[gone + at].bytes;
		let_go(all, gone, gone + at);
		gone++;
	}
	*n = gone;
}

void retention_remove(const char *data_dir, const char *job_id, const struct checkpoint_info *gone, int n)
{
	char name[64], path[BLOB_PATH_MAX];
	for (int i = 0; i < n; i++) {
		blob_checkpoint_name(name, sizeof name, gone[i].epoch);
		blob_path(path, sizeof path, data_dir, job_id, name);
		unlink(path);
	}
}
