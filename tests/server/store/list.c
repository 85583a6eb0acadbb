/* Pages, places in the queue and counts, against what one would count by hand, after hundreds of random changes. */
#include "server/store/store.h"

#include "tests/server/store/fixture.h"

enum { CHANGES = 600, JOBS_MAX = CHANGES };
static const char *const kinds[] = {"ae", "vae", "gan"}, *const names[] = {"", "shoes", "bags"},
						 *const sets[] = {"a", "b"};

struct world {
	struct store *store;
	int n;
	struct job job[JOBS_MAX]; /* by number; id "": deleted */
	unsigned random;
};

static unsigned pick(struct world *w, unsigned n)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (w->random >> 16) % n;
}

static void add(struct world *w)
{
	struct job *j = &w->job[w->n++];
	*j = (struct job){.preset = "default", .priority = (int)pick(w, 4) - 2};
	snprintf(j->kind, sizeof j->kind, "%s", kinds[pick(w, 3)]);
	snprintf(j->name, sizeof j->name, "%s", names[pick(w, 3)]);
	snprintf(j->dataset, sizeof j->dataset, "%s", sets[pick(w, 2)]);
	assert_int_equal(job_make_id(j->id, NULL), OK);
	assert_int_equal(store_insert(w->store, j, NULL), OK);
}

static void change(struct world *w)
{
	struct job *j = &w->job[pick(w, (unsigned)w->n)];
	const struct store_edit edit = {.has_priority = true, .priority = (int)pick(w, 4) - 2};
	enum job_status to = j->status == JOB_QUEUED ? (pick(w, 3) ? JOB_RUNNING : JOB_CANCELLED) : JOB_SUCCEEDED;
	if (!*j->id)
		return;
	if (job_terminal(j->status)) {
		assert_int_equal(store_delete(w->store, j->id, NULL), OK);
		*j->id = '\0';
	} else if (pick(w, 2)) {
		assert_int_equal(store_edit(w->store, j->id, &edit, NULL), OK);
		j->priority = edit.priority;
	} else {
		assert_int_equal(store_move(w->store, j->id, j->status, to, NULL, NULL), OK);
		j->status = to;
	}
}

static int place(const struct world *w, const struct job *of)
{
	int place = 1;
	for (const struct job *j = w->job; j < w->job + w->n; j++)
		place += *j->id && j->status == JOB_QUEUED &&
				 (j->priority > of->priority || (j->priority == of->priority && j->number < of->number));
	return of->status == JOB_QUEUED ? place : 0;
}

static bool fits(const struct job *j, const struct store_filter *f)
{
	return *j->id && (!f->kind || !strcmp(f->kind, j->kind)) && (!f->name || !strcmp(f->name, j->name)) &&
		   (!f->dataset || !strcmp(f->dataset, j->dataset)) &&
		   (!f->status || strstr(f->status, job_status_name(j->status)));
}

/* All pages of it, entry by entry. */
static void check_list(struct world *w, struct store_filter f)
{
	char after[JOB_ID_SIZE];
	int at = f.ascending ? 0 : w->n - 1, step = f.ascending ? 1 : -1, n;
	struct job *jobs;
	bool more = true;
	while (more) {
		assert_int_equal(store_list(w->store, &f, &jobs, &n, &more, NULL), OK);
		assert_true(n == f.limit || !more);
		for (int i = 0; i < n; i++, at += step) {
			while (!fits(&w->job[at], &f))
				at += step;
			assert_string_equal(jobs[i].id, w->job[at].id);
			assert_int_equal(jobs[i].queue_position, place(w, &w->job[at]));
			memcpy(after, jobs[i].id, sizeof after);
			job_free(&jobs[i]);
		}
		free(jobs);
		f.after = after;
	}
	for (; at >= 0 && at < w->n; at += step)
		assert_false(fits(&w->job[at], &f));
}

static void count(void *ctx, const char *kind, enum job_status status, int64_t n)
{
	const struct world *w = ctx;
	for (int i = 0; i < w->n; i++)
		n -= *w->job[i].id && w->job[i].status == status && !strcmp(w->job[i].kind, kind);
	assert_int_equal(n, 0);
}

static void check_all(struct world *w)
{
	static const char *const statuses[] = {NULL, "queued", "succeeded,running", "cancelled,queued,running,succeeded"};
	for (int status = 0; status < 4; status++)
		for (int kind = -1; kind < 3; kind++)
			for (int other = -1; other < 5; other++)
				for (int up = 0; up < 2; up++)
					check_list(w, (struct store_filter){.status = statuses[status],
									  .kind = kind < 0 ? NULL : kinds[kind],
									  .name = other >= 0 && other < 3 ? names[other] : NULL,
									  .dataset = other >= 3 ? sets[other - 3] : NULL,
									  .limit = 7 + 30 * up,
									  .ascending = up});
	assert_int_equal(store_counts(w->store, count, w, NULL), OK);
}

static void test_against_counting(void **state)
{
	struct fixture *f = *state;
	struct world *w = calloc(1, sizeof *w);
	w->store = f->store;
	w->random = 7;
	for (int i = 0; i < 300; i++) /* more than a bucket of the queue */
		add(w);
	check_all(w);
	for (int i = 0; i < CHANGES; i++)
		if (pick(w, 3) || w->n == JOBS_MAX)
			change(w);
		else
			add(w);
	check_all(w);
	free(w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_against_counting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
