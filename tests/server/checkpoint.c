#include "server/checkpoint.h"

#include "server/blob.h"
#include "core/base/rng.h"
#include "tests/server/toy.h"

#include <fcntl.h>

static int setup(void **state)
{
	*state = temp_make();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	temp_remove(*state);
	return 0;
}

static void write_file(const char *dir, int epoch, size_t size)
{
	char *bytes = calloc(1, size + 1);
	const struct buf file = {.data = bytes, .len = size};
	assert_int_equal(checkpoint_write(dir, "job_1", epoch, &file, NULL), OK);
	free(bytes);
}

static void test_numbered_file_replaces_the_inner_one(void **state)
{
	char path[BLOB_PATH_MAX];
	blob_path(path, sizeof path, *state, "job_1", "checkpoints/inside.safetensors");
	write_file(*state, 0, 10);
	assert_int_equal(access(path, F_OK), 0);
	write_file(*state, 1, 10);
	assert_int_equal(access(path, F_OK), -1);
}

static void count_skipped(void *ctx, const struct err *why)
{
	int *n = ctx;
	assert_int_equal(why->code, ERR_CORRUPT);
	++*n;
}

static void test_rubbish_is_no_checkpoint(void **state)
{
	struct checkpoint c;
	struct err err = {0};
	const struct job job = {.id = "job_1", .best_epoch = 2};
	int skipped = 0;
	assert_int_equal(checkpoint_newest(&c, *state, "job_1", count_skipped, &skipped, &err), ERR_NOT_FOUND);
	assert_int_equal(skipped, 0);
	assert_int_equal(checkpoint_pick(&c, *state, &job, "best", &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.message, "none yet"));
	write_file(*state, 1, 1000);
	write_file(*state, 2, 0);
	write_file(*state, 0, 64);
	assert_int_equal(checkpoint_newest(&c, *state, "job_1", count_skipped, &skipped, &err), ERR_NOT_FOUND);
	assert_int_equal(skipped, 3);
	assert_int_equal(checkpoint_pick(&c, *state, &job, "best", &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "epoch-000002"));
}

/* --- damage --- */

/* Sanitizers are slow: one bit in so many. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STRIDE = 11 };
#else
enum { STRIDE = 1 };
#endif

/* The checkpoints of a small run, and the newest of them open. */
struct damage {
	struct house *h;
	char id[JOB_ID_SIZE];
	int epoch, fd;
	size_t size, header; /* bytes of the file, and of what comes before the tensors */
};

static void open_damage(struct damage *d)
{
	void *state;
	char path[BLOB_PATH_MAX], name[64];
	uint64_t header;
	house_setup(&state);
	*d = (struct damage){.h = state, .epoch = 2};
	toy_write(d->h, 0);
	house_submit(d->h,
		"{'kind':'ae','dataset':'toy','params':{'latent_dim':2,'channels':[],'hidden':[1],'epochs':2,'batch_size':128,"
		"'optimizer':'sgd','momentum':0}}",
		d->id);
	assert_int_equal(house_wait_end(d->h, d->id), JOB_SUCCEEDED);
	blob_checkpoint_name(name, sizeof name, d->epoch);
	blob_path(path, sizeof path, d->h->dir, d->id, name);
	d->fd = open(path, O_RDWR);
	assert_true(d->fd >= 0);
	d->size = (size_t)lseek(d->fd, 0, SEEK_END);
	assert_int_equal(pread(d->fd, &header, sizeof header, 0), sizeof header);
	d->header = sizeof header + (size_t)header;
}

static void close_damage(struct damage *d)
{
	void *state = d->h;
	close(d->fd);
	house_teardown(&state);
}

/* It is not taken, whoever asks for it by number; who asks for the newest has the one before. */
static void assert_detected(struct damage *d, const char *what, size_t at)
{
	struct checkpoint c;
	struct err err = {0};
	if (checkpoint_load(&c, d->h->dir, d->id, d->epoch, &err) != ERR_CORRUPT)
		fail_msg("%s %zu: %s", what, at, err.code ? err.message : "not detected");
}

static void flip(struct damage *d, size_t bit)
{
	unsigned char byte;
	assert_int_equal(pread(d->fd, &byte, 1, (off_t)(bit / 8)), 1);
	byte ^= (unsigned char)(1u << bit % 8);
	assert_int_equal(pwrite(d->fd, &byte, 1, (off_t)(bit / 8)), 1);
}

static void assert_flip_detected(struct damage *d, size_t bit)
{
	flip(d, bit);
	assert_detected(d, "bit", bit);
	flip(d, bit);
}

static void test_every_bit_of_the_header(void **state)
{
	(void)state;
	struct damage d;
	open_damage(&d);
	print_message("%zu bytes, %zu of them header\n", d.size, d.header);
	for (size_t bit = 0; bit < d.header * 8; bit += STRIDE)
		assert_flip_detected(&d, bit);
	close_damage(&d);
}

static void test_bits_of_the_tensors(void **state)
{
	(void)state;
	enum { FLIPS = 10000 };
	struct damage d;
	uint32_t words[4];
	open_damage(&d);
	for (uint64_t i = 0; i < FLIPS; i += STRIDE) {
		rng_words(words, (struct rng){.seed = 9, .stream = RNG_NOISE, .step = i}, 0);
		assert_flip_detected(&d, d.header * 8 + words[0] % ((d.size - d.header) * 8));
	}
	struct checkpoint c; /* whole again, it is taken */
	assert_int_equal(checkpoint_load(&c, d.h->dir, d.id, d.epoch, NULL), OK);
	checkpoint_free(&c);
	close_damage(&d);
}

static void test_every_length(void **state)
{
	(void)state;
	enum { PAGE = 4096 };
	struct damage d;
	struct checkpoint c;
	int skipped = 0, cuts = 0;
	open_damage(&d);
	for (size_t size = d.size - 1; size > 0; size = size > PAGE ? (size - 1) / PAGE * PAGE : size / 2, cuts++) {
		assert_int_equal(ftruncate(d.fd, (off_t)size), 0);
		assert_detected(&d, "cut to", size);
		assert_int_equal(checkpoint_newest(&c, d.h->dir, d.id, count_skipped, &skipped, NULL), OK);
		assert_int_equal(c.number, 1); /* the one before */
		checkpoint_free(&c);
	}
	assert_int_equal(skipped, cuts);
	assert_int_equal(ftruncate(d.fd, (off_t)d.size), 0); /* zeros where there was something */
	assert_detected(&d, "zeroed from", 0);
	close_damage(&d);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_numbered_file_replaces_the_inner_one),
		TEST(test_rubbish_is_no_checkpoint),
		cmocka_unit_test(test_every_bit_of_the_header),
		cmocka_unit_test(test_bits_of_the_tensors),
		cmocka_unit_test(test_every_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
