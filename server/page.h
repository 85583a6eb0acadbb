/* page.h: a page of a list that is whole in memory, oldest first: limit, after, order, as the lists that the store pages.
 */
#ifndef LATENTD_SERVER_PAGE_H
#define LATENTD_SERVER_PAGE_H

#include "server/uri.h"

enum { PAGE_LIMIT_MAX = 1000 };

/* Entries at, at + step, … n of them; more: others follow. */
struct page {
	int limit;
	bool ascending;
	int at, step, n;
	bool more;
};

/* limit (all that may be had, unless given) and order (oldest first, unless given). */
int page_take(struct page *ret, const struct uri *u, struct err *err);
/* Of `all` entries those on the page. Older ones than `after`: as many as `before`, not newer: as many as `until` (equal if it is not
 * there any more); without `after` 0 and 0. */
void page_cut(struct page *p, int all, bool after, int before, int until);

#endif
