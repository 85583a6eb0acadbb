#include "server/cache.h"

#include "server/blob.h"
#include "tests/server/toy.h"

#include <pthread.h>

static const char small[] = "{'kind':'ae','name':'toy-run','dataset':'toy','params':{'latent_dim':3,'epochs':3}}";
static const char long_run[] = "{'kind':'ae','dataset':'toy','params':{'latent_dim':2,'epochs':100000}}";

static int setup(void **state)
{
	house_setup(state);
	toy_write(*state, 0);
	return 0;
}

static struct published *acquire(struct house *h, const char *ref)
{
	struct published *p = NULL;
	struct err err = {0};
	if (cache_acquire(h->cache, ref, &p, &err))
		fail_msg("%s: %s", ref, err.message);
	return p;
}

static int refusal(struct house *h, const char *ref, const char *text)
{
	struct published *p;
	struct err err = {0};
	int code = cache_acquire(h->cache, ref, &p, &err);
	if (!strstr(err.message, text))
		fail_msg("%s: '%s' does not say '%s'", ref, err.message, text);
	return code;
}

static void ref_of(char ref[80], const char *id, const char *which)
{
	snprintf(ref, 80, "%s@%s", id, which);
}

static void test_references(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], ref[80];
	house_submit(h, small, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	struct job job = house_job(h, id);

	struct published *plain = acquire(h, id), *named = acquire(h, "toy-run@best"), *latest = acquire(h, "latest@2");
	assert_int_equal(plain->epoch, job.best_epoch);
	assert_ptr_equal(plain, named); /* loaded once */
	assert_int_equal(latest->epoch, 2);
	assert_int_equal(latest->step, job.steps / 3 * 2);
	assert_int_equal(latest->model.latent_dim, 3);
	assert_int_equal(latest->codes.latent_dim, 3);
	assert_true(latest->codes.std[0] > 0);
	published_put(plain);
	published_put(named);
	ref_of(ref, id, "last");
	struct published *last = acquire(h, ref);
	assert_int_equal(last->epoch, 3);
	assert_string_not_equal(last->etag, latest->etag);
	assert_memory_not_equal(last->w, latest->w, last->model.params * sizeof(real));
	published_put(last);
	published_put(latest);

	ref_of(ref, id, "7");
	assert_int_equal(refusal(h, ref, "it has epochs 1, 2, 3"), ERR_NOT_FOUND);
	ref_of(ref, id, "newest");
	assert_int_equal(refusal(h, ref, "best, last or the number"), ERR_INVALID);
	assert_int_equal(refusal(h, "nobody", "nobody"), ERR_NOT_FOUND);
	job_free(&job);
}

static void test_running_and_queued(void **state)
{
	struct house *h = *state;
	char running[JOB_ID_SIZE], queued[JOB_ID_SIZE], ref[80];
	struct job job;
	house_submit(h, long_run, running);
	house_submit(h, long_run, queued);
	house_wait(h, running, 20);
	assert_int_equal(refusal(h, queued, "is queued; it can decode once it runs"), ERR_CONFLICT);
	struct published *first = acquire(h, running), *later;
	int64_t begin = clock_ms();
	do {
		usleep(5000);
		later = acquire(h, running);
		published_put(later);
	} while (later->step == first->step && clock_ms() - begin < 5000);
	assert_true(later->step > first->step);              /* it goes on */
	assert_true(clock_ms() - begin < 2500);              /* within a second, on a free machine */
	assert_true(first->w && first->w[0] == first->w[0]); /* and what is held stays */
	published_put(first);

	assert_int_equal(house_ask(h, queued, COMMAND_CANCEL, &job, NULL), OK);
	job_free(&job);
	assert_int_equal(house_ask(h, running, COMMAND_CANCEL, &job, NULL), OK);
	job_free(&job);
	house_wait_end(h, running);
	ref_of(ref, running, "last");
	struct published *kept = acquire(h, ref); /* a cancelled job serves what it saved */
	assert_true(kept->epoch >= 1);
	struct published *again = acquire(h, ref);
	for (int i = 0; i < 500 && again != kept; i++) { /* what was read before the worker let the job go is dropped once */
		usleep(10000);
		published_put(kept);
		kept = again;
		again = acquire(h, ref);
	}
	assert_ptr_equal(kept, again); /* read twice, kept once */
	published_put(again);
	published_put(kept);
	assert_int_equal(refusal(h, queued, "nothing to decode with"), ERR_CONFLICT);
}

/* Within an epoch too: at least once a second (with room for a busy machine). */
static void test_published_inside_an_epoch(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	house_submit(h, "{'kind':'ae','params':{'batch_size':1,'epochs':2,'preview_every_epochs':0}}", id);
	house_wait(h, id, 1);
	struct published *first = acquire(h, id), *later;
	int64_t begin = clock_ms();
	for (;;) {
		later = acquire(h, id);
		if (later->step > first->step || clock_ms() - begin > 3000)
			break;
		published_put(later);
		usleep(10000);
	}
	assert_int_equal(first->epoch, 0);
	assert_int_equal(later->epoch, 0);
	assert_true(later->step > first->step);
	published_put(first);
	published_put(later);
}

/* A published copy gives what the trainer's weights gave: the same as from its file. */
static void test_file_and_copy_agree(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	house_submit(h, small, id);
	house_wait_end(h, id);
	struct published *p = acquire(h, "toy-run@3"), *q;
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct job job = house_job(h, id);
	assert_int_equal(export_weights(h->dir, &job, "last", &a, NULL, NULL), OK);
	int epoch;
	assert_int_equal(export_weights(h->dir, &job, "3", &b, &epoch, NULL), OK);
	assert_int_equal(epoch, 3);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	assert_null(strstr(a.data + 8, "level")); /* the header is text: levels share exports */
	buf_free(&a);
	buf_free(&b);
	house_close(h);
	house_open(h);
	q = acquire(h, "toy-run@last");
	assert_memory_equal(p->w, q->w, p->model.params * sizeof(real));
	assert_string_equal(p->etag, q->etag);
	published_put(p);
	published_put(q);
	job_free(&job);
}

static void test_list_of_checkpoints(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	struct checkpoint_info *info;
	struct curve val;
	int n, best = 0;
	house_submit(h, small, id);
	house_wait_end(h, id);
	struct job job = house_job(h, id);
	assert_int_equal(export_list(h->store, h->dir, &job, &info, &n, NULL), OK);
	assert_int_equal(n, 3);
	assert_int_equal(store_curve(h->store, id, "val_loss", 0, &val, NULL), OK);
	for (int i = 0; i < n; i++) {
		assert_int_equal(info[i].epoch, i + 1);
		assert_int_equal(info[i].step, job.steps / 3 * (i + 1));
		assert_true(info[i].bytes > 100000 && info[i].created_at_ms >= job.started_at_ms);
		assert_true(info[i].monitor == val.value[i]);
		assert_int_equal(info[i].last, i == 2);
		best += info[i].best;
	}
	assert_int_equal(best, 1);
	assert_true(info[job.best_epoch - 1].monitor == job.best_value);
	curve_free(&val);
	free(info);
	job_free(&job);
}

static void *decode_while_training(void *arg)
{
	struct house *h = arg;
	for (int i = 0; i < 200; i++) {
		struct published *p;
		if (cache_acquire(h->cache, "latest", &p, NULL))
			return (void *)1;
		real sum = 0;
		for (size_t k = 0; k < p->model.params; k++)
			sum += p->w[k];
		published_put(p);
		if (sum != sum)
			return (void *)1;
	}
	return NULL;
}

static void test_many_readers(void **state)
{
	enum { READERS = 4 };
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	pthread_t thread[READERS];
	void *failed;
	house_submit(h, long_run, id);
	house_wait(h, id, 5);
	for (int i = 0; i < READERS; i++)
		pthread_create(&thread[i], NULL, decode_while_training, h);
	for (int i = 0; i < READERS; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
}

static void *get_dataset(void *arg)
{
	struct house *h = arg;
	struct dataset *d = NULL;
	return cache_dataset(h->cache, "fashion-mnist", &d, NULL) ? NULL : d;
}

static void test_data_sets_are_shared(void **state)
{
	enum { THREADS = 4 };
	struct house *h = *state;
	pthread_t thread[THREADS];
	void *got[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, get_dataset, h);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], &got[i]);
	for (int i = 0; i < THREADS; i++) {
		assert_non_null(got[i]);
		assert_ptr_equal(got[i], got[0]); /* read once */
	}
	for (int i = 0; i < THREADS; i++)
		dataset_put(got[i]);
	struct dataset_head head;
	struct err err = {0};
	assert_int_equal(cache_peek(h->cache, "fashion-mnist", &head, NULL), OK);
	assert_int_equal(head.n[SPLIT_TRAIN], 60000);
	struct dataset *none;
	assert_int_equal(cache_dataset(h->cache, "nowhere", &none, &err), ERR_DATASET);
	assert_int_equal(cache_dataset(h->cache, "nowhere", &none, &err), ERR_DATASET); /* no entry is left behind */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, house_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_references),
		TEST(test_running_and_queued),
		TEST(test_published_inside_an_epoch),
		TEST(test_file_and_copy_agree),
		TEST(test_list_of_checkpoints),
		TEST(test_many_readers),
		TEST(test_data_sets_are_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
