/* record.h: what a daemon did to its files, in order, written down while it did so: what powercut.py makes crash states of.
 *
 * Layout: for each call a struct record_head, then the bytes written, then the paths, as seen from KF_ROOT.
 * Invariants: calls that are recorded happen one at a time, so that their order is the file's.
 */
#ifndef LATENTD_TESTS_TORTURE_RECORD_H
#define LATENTD_TESTS_TORTURE_RECORD_H

#include "tests/torture/kf.h"

#include <stdbool.h>
#include <stddef.h>

/* c create, z truncated by open, w write, s sync, r rename, u unlink, d rmdir, l link, m mkdir, t truncate, a allocate */
struct record {
	char what;
	int fd;     /* -1: none */
	int64_t at; /* of a write; the size of t, the least size of a */
	const void *bytes;
	size_t n;
	const char *from, *to; /* NULL: none */
};

struct record_head {
	uint64_t what, inode;
	int64_t at;
	uint32_t n, from, to, pad; /* lengths of what follows */
};

void record_open(const char *path, struct page *page);
/* False: nothing is recorded. Else whoever called does what it does, and says so. */
bool record_begin(void);
/* NULL: it failed, and has changed nothing. errno stays. */
void record_end(const struct record *r);

#endif
