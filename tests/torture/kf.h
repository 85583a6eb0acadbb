/* kf.h: the page of numbers that the shim (kf.c) and who drives it (victim.py, which reads its names here) have in common.
 *
 * Why: a file that both map outlives a kill -9, so that afterwards it still says how many calls there were and where the process
 * stood; and what is to fail can be said while the process runs. One copy of the layout: both lists are read by victim.py.
 * Layout: one int64_t a field, in this order, then KF_PATH_MAX bytes of text: only calls on paths that contain it count.
 */
#ifndef LATENTD_TESTS_TORTURE_KF_H
#define LATENTD_TESTS_TORTURE_KF_H

#include <stdint.h>

enum { KF_PATH_MAX = 256 };

/* clang-format off */
#define KF_FIELDS(X) \
	X(armed)       /* calls are counted, and struck, while this is 1 */ \
	X(calls)       /* which: 1 << KF_… each */ \
	X(count)       /* counted so far */ \
	X(at)          /* number of the first that is struck; 0: none */ \
	X(times)       /* how many are */ \
	X(act)         /* KF_DO_… */ \
	X(error)       /* errno of KF_DO_FAIL */ \
	X(struck)      /* how many were */ \
	X(last)        /* KF_… of the one struck last */ \
	X(inside)      /* checkpoints between their begin and their rename */ \
	X(checkpoints) /* that were renamed into place */ \
	X(clock_ms)    /* added to the wall clock */ \
	X(revert)      /* a sync that fails takes the file back to what was synced before, as a disk may */ \
	X(retried)     /* syncs of a descriptor whose sync had failed: what they say of its bytes is worth nothing */ \
	X(accepts)     /* calls of accept */ \
	X(record)      /* calls that change what is on disk are written to KF_RECORD (record.h) while this is 1 */ \
	X(recorded)    /* so many were */
/* Calls that change what is on disk (on files beneath KF_ROOT), then others. */
#define KF_CALLS(X) \
	X(create) X(write) X(sync) X(rename) X(unlink) X(truncate) X(link) X(mkdir) X(rmdir) X(allocate) X(malloc) X(thread)
/* Instead of the call: the end by SIGKILL, the end after half of a write, an error, the end by SIGABRT, by a fault. hold: the call
 * waits until nothing is armed any more. */
#define KF_ACTS(X) X(none) X(kill) X(torn) X(fail) X(abort) X(fault) X(hold)
/* clang-format on */

enum kf_call {
#define X(name) KF_##name,
	KF_CALLS(X)
#undef X
};
enum kf_act {
#define X(name) KF_DO_##name,
	KF_ACTS(X)
#undef X
};

struct page {
#define X(name) _Atomic int64_t name;
	KF_FIELDS(X)
#undef X
	char path[KF_PATH_MAX];
};

#endif
