#include "server/page.h"

int page_take(struct page *ret, const struct uri *u, struct err *err)
{
	int64_t limit = PAGE_LIMIT_MAX;
	*ret = (struct page){.ascending = true};
	int code = uri_int(u, "limit", 1, PAGE_LIMIT_MAX, &limit, err);
	ret->limit = (int)limit;
	return code ? code : uri_order(u, &ret->ascending, err);
}

void page_cut(struct page *p, int all, bool after, int before, int until)
{
	int left = !after ? all : p->ascending ? all - until : before;
	p->step = p->ascending ? 1 : -1;
	p->at = p->ascending ? all - left : left - 1;
	p->n = left < p->limit ? left : p->limit;
	p->more = left > p->n;
}
