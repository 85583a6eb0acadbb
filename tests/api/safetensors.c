#include "api/safetensors.h"

#include "core/data/sha256.h"
#include "tests/api/check.h"

static float weights[6] = {1, -2, 3.5f, 0, 1e-30f, 7};
static double moments[2] = {.1, -1e300};
static int64_t step_counter = 1266;

static void fill(struct state *s)
{
	*s = (struct state){0};
	state_add(s, "encoder.0.weight", DTYPE_F32, 2, (const int64_t[]){2, 3}, weights);
	state_add(s, "tracker", DTYPE_F64, 1, (const int64_t[]){2}, moments);
	state_add(s, "counter.step", DTYPE_I64, 0, NULL, &step_counter);
	state_add(s, "none", DTYPE_F32, 2, (const int64_t[]){0, 4}, weights);
}

static const struct metadata_entry metadata[] = {{"kind", "ae"}, {"params", "{\"lr\":0.001}"}};

static struct buf written(bool checksum)
{
	struct state s;
	struct buf b = BUF_INIT;
	struct err err = {0};
	fill(&s);
	assert_int_equal(safetensors_write(&b, &s, metadata, 2, checksum, &err), OK);
	state_free(&s);
	return b;
}

static uint64_t header_length(const struct buf *b)
{
	uint64_t length;
	memcpy(&length, b->data, sizeof length);
	return length;
}

static void round_trip(void **state)
{
	(void)state;
	for (int checksum = 0; checksum < 2; checksum++) {
		struct buf b = written(checksum);
		struct safetensors file;
		struct err err = {0};
		char text[64];
		assert_int_equal(safetensors_read(&file, b.data, b.len, &err), OK);
		assert_int_equal(file.state.n, 4);
		assert_int_equal(file.has_checksum, checksum);
		assert_null(state_find(&file.state, "checksum"));
		const struct tensor *t = state_find(&file.state, "encoder.0.weight");
		assert_int_equal(t->rank, 2);
		assert_int_equal(t->shape[0], 2);
		assert_int_equal(t->shape[1], 3);
		assert_memory_equal(t->data, weights, sizeof weights);
		assert_memory_equal(state_find(&file.state, "tracker")->data, moments, sizeof moments);
		assert_memory_equal(state_find(&file.state, "counter.step")->data, &step_counter, sizeof step_counter);
		assert_int_equal(state_find(&file.state, "counter.step")->rank, 0);
		assert_int_equal(state_find(&file.state, "none")->bytes, 0);
		assert_true(safetensors_metadata(&file, "params", text, sizeof text));
		assert_string_equal(text, "{\"lr\":0.001}");
		assert_false(safetensors_metadata(&file, "params", text, 4));
		assert_false(safetensors_metadata(&file, "Kind", text, sizeof text));
		safetensors_free(&file);
		buf_free(&b);
	}
}

static void layout(void **state)
{
	struct buf b = written(true);
	(void)state;
	uint64_t length = header_length(&b);
	assert_int_equal((length + 8) % 64, 0);
	const char *data = b.data + 8 + length;
	assert_memory_equal(data, weights, sizeof weights);
	/* the last 32 bytes: SHA-256 of everything before them */
	char wanted[SHA256_HEX], found[SHA256_HEX];
	sha256_text(b.data, b.len - 32, wanted);
	sha256_hex((const uint8_t *)b.data + b.len - 32, found);
	assert_string_equal(found, wanted);
	char *text = strndup(b.data + 8, length);
	struct json *header = parsed(text);
	assert_string_equal(json_key(json_first(header)), "__metadata__");
	assert_string_equal(text_at(header, "__metadata__/kind"), "ae");
	assert_string_equal(text_at(header, "tracker/dtype"), "F64");
	assert_true(number_at(header, "tracker/data_offsets/0") == 24);
	assert_true(number_at(header, "checksum/shape/0") == 32);
	json_free(header);
	free(text);
	buf_free(&b);
}

static void equal_states_give_equal_bytes(void **state)
{
	struct buf a = written(true), b = written(true);
	(void)state;
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	/* and it appends: whatever stood in the buf before is neither lost nor part of the checksum */
	struct buf c = BUF_INIT;
	struct state s;
	fill(&s);
	buf_str(&c, "12345678");
	assert_int_equal(safetensors_write(&c, &s, metadata, 2, true, NULL), OK);
	assert_int_equal(c.len, a.len + 8);
	assert_memory_equal(c.data + 8, a.data, a.len);
	state_free(&s);
	buf_free(&a);
	buf_free(&b);
	buf_free(&c);
}

/* Any bit of a checkpoint that flips is noticed; in the checksum's own name, by there being none. */
static void damage_is_noticed(void **state)
{
	struct buf b = written(true);
	(void)state;
	for (size_t i = 0; i < b.len; i++) {
		struct safetensors file;
		struct err err = {0};
		b.data[i] ^= 4;
		int code = safetensors_read(&file, b.data, b.len, &err);
		if (!code) {
			assert_false(file.has_checksum);
			assert_in_range(i, 8, 8 + header_length(&b));
			safetensors_free(&file);
		} else {
			assert_int_equal(code, ERR_CORRUPT);
		}
		b.data[i] ^= 4;
	}
	for (size_t size = 0; size < b.len; size++) {
		struct safetensors file;
		assert_int_equal(safetensors_read(&file, b.data, size, NULL), ERR_CORRUPT);
	}
	buf_free(&b);
}

/* A file of this header and so many data bytes, in memory of exactly its size. */
static char *hostile(const char *header, size_t data_bytes, size_t *ret_size)
{
	uint64_t length = strlen(header);
	*ret_size = 8 + length + data_bytes;
	char *file = calloc(1, *ret_size);
	memcpy(file, &length, 8);
	memcpy(file + 8, header, length);
	return file;
}

#define F32_2 "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define LONG_NAME "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct hostile_row {
	const char *header;
	size_t data;
	const char *message; /* a part of it; NULL: this one is good */
} hostile_table[] = {
	{"{}", 0, NULL},
	{"{\"__metadata__\":{}}   ", 0, NULL},
	{"{\"a\":" F32_2 "}", 8, NULL},
	{"{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8,9]},\"a\":" F32_2 "}", 9, NULL},
	{"{\"a\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}", 8, NULL},
	{"{\"a\":" F32_2 ",\"e\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", 8, NULL},
	{"", 0, "does not begin with '{'"},
	{" {}", 0, "does not begin with '{'"},
	{"[]", 0, "does not begin with '{'"},
	{"{\"a\":}", 0, "header: line 1, column 6"},
	{"{} x", 0, "header: line 1, column 4"},
	{"{\"a\":" F32_2 ",\"a\":" F32_2 "}", 8, "duplicate field 'a'"},
	{"{\"a\":1}", 0, "dtype, shape and data_offsets"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "dtype, shape and data_offsets"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8, "dtype, shape and data_offsets"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"offsets\":[0,8]}}", 8, "data_offsets must be"},
	{"{\"a\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]}}", 8, "dtype must be one of"},
	{"{\"a\":{\"dtype\":4,\"shape\":[4],\"data_offsets\":[0,8]}}", 8, "dtype must be one of"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "shape must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}", 8, "shape must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "shape must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,8]}}", 8, "shape must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,8]}}", 8, "shape must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,2],\"data_offsets\":[0,8]}}", 8, "shape must be up to 4"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":8}}", 8, "data_offsets must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "data_offsets must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8, "data_offsets must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", 8, "data_offsets must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8.5]}}", 8, "data_offsets must be"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "outside the file"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "outside the file"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[9007199254740983,9007199254740991]}}", 8,
		"outside the file"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "not shape x dtype"},
	{"{\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "not shape x dtype"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "not shape x dtype"},
	{"{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0, "shape must be"},
	{"{\"a\":{\"dtype\":\"F64\",\"shape\":[4503599627370496,1024],\"data_offsets\":[0,0]}}", 0, "not shape x dtype"},
	{"{\"a\":" F32_2 ",\"b\":" F32_2 "}", 8, "overlaps"},
	{"{\"a\":" F32_2 ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "overlaps"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "a hole before"},
	{"{\"a\":" F32_2 ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}", 10, "a hole before"},
	{"{\"a\":" F32_2 "}", 9, "bytes after the last tensor"},
	{"{}", 1, "bytes after the last tensor"},
	{"{\"__metadata__\":[]}", 0, "__metadata__ must be an object"},
	{"{\"__metadata__\":{\"epoch\":1}}", 0, "__metadata__ must hold strings only"},
	{"{\"" LONG_NAME "\":" F32_2 "}", 8, "longer than 95 bytes"},
	{"{\"checksum\":" F32_2 "}", 8, "must be the last tensor"},
	{"{\"checksum\":{\"dtype\":\"U8\",\"shape\":[32],\"data_offsets\":[0,32]},"
	 "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[32,33]}}",
		33, "must be the last tensor"},
	{"{\"checksum\":{\"dtype\":\"U8\",\"shape\":[32],\"data_offsets\":[0,32]}}", 32, "does not match"},
};

static void hostile_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hostile_table / sizeof *hostile_table; i++) {
		size_t size;
		char *bytes = hostile(hostile_table[i].header, hostile_table[i].data, &size);
		struct safetensors file = {0};
		struct err err = {0};
		int code = safetensors_read(&file, bytes, size, &err);
		if (!hostile_table[i].message && code)
			fail_msg("refused %s: %s", hostile_table[i].header, err.message);
		if (hostile_table[i].message && (code != ERR_CORRUPT || !strstr(err.message, hostile_table[i].message)))
			fail_msg("%s\n  says   %s\n  wanted %s", hostile_table[i].header, err.message, hostile_table[i].message);
		if (!code)
			safetensors_free(&file);
		free(bytes);
	}
}

static void hostile_lengths(void **state)
{
	static const struct row {
		uint64_t length;
		const char *message;
	} rows[] = {
		{UINT64_MAX, "longer than 16 MiB"},
		{UINT64_MAX - 7, "longer than 16 MiB"},
		{(16 << 20) + 1, "longer than 16 MiB"},
		{16 << 20, "past the end"},
		{3, "past the end"},
		{0, "does not begin with '{'"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *bytes = malloc(10);
		struct safetensors file;
		struct err err = {0};
		memcpy(bytes, &rows[i].length, 8);
		memcpy(bytes + 8, "{}", 2);
		assert_int_equal(safetensors_read(&file, bytes, 10, &err), ERR_CORRUPT);
		if (!strstr(err.message, rows[i].message))
			fail_msg("says %s, wanted %s", err.message, rows[i].message);
		assert_int_equal(safetensors_read(&file, bytes, 7, &err), ERR_CORRUPT);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(layout),
		cmocka_unit_test(equal_states_give_equal_bytes),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(hostile_files),
		cmocka_unit_test(hostile_lengths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
