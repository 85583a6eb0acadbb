#include "server/store/blocks.h"

#include <endian.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static int64_t level_size(int level)
{
	return INT64_C(16) << 2 * level;
}

/* --- words --- */

static uint64_t double_word(double value)
{
	uint64_t word;
	memcpy(&word, &value, sizeof word);
	return htole64(word);
}

static double word_double(uint64_t word)
{
	double value;
	word = le64toh(word);
	memcpy(&value, &word, sizeof value);
	return value;
}

struct sample record_read(const void *at)
{
	struct record r;
	memcpy(&r, at, sizeof r);
	return (struct sample){
		(int64_t)le64toh(r.step), (int64_t)le64toh(r.time_ms), word_double(r.epoch), word_double(r.value)};
}

void record_write(struct record *ret, const struct sample *s)
{
	*ret = (struct record){
		htole64((uint64_t)s->step), double_word(s->epoch), htole64((uint64_t)s->time_ms), double_word(s->value)};
}

/* A block in its row, and each level of a tail. */
struct packed {
	uint64_t n, step, epoch, time_ms, sum, min, max;
};

static struct packed pack(const struct bundle *b)
{
	return (struct packed){htole64((uint64_t)b->n), htole64((uint64_t)b->step), double_word(b->epoch),
		htole64((uint64_t)b->time_ms), double_word(b->sum), double_word(b->min), double_word(b->max)};
}

static struct bundle unpack(const void *at)
{
	struct packed p;
	memcpy(&p, at, sizeof p);
	return (struct bundle){(int64_t)le64toh(p.n), (int64_t)le64toh(p.step), (int64_t)le64toh(p.time_ms),
		word_double(p.epoch), word_double(p.sum), word_double(p.min), word_double(p.max)};
}

bool tail_read(struct tail *ret, const void *bytes, size_t size)
{
	const char *at = bytes;
	if (!bytes || size != BLOCK_LEVELS * sizeof(struct packed))
		return false;
	for (int level = 0; level < BLOCK_LEVELS; level++)
		ret->level[level] = unpack(at + (size_t)level * sizeof(struct packed));
	return true;
}

static int tail_write(struct conn *c, int64_t series, const struct tail *tail, struct err *err)
{
	struct packed all[BLOCK_LEVELS];
	for (int level = 0; level < BLOCK_LEVELS; level++)
		all[level] = pack(&tail->level[level]);
	return sql_run(c, SQL_TAIL_PUT, err, "ib", series, all, sizeof all);
}

/* --- writing --- */

static void block_add(struct bundle *b, const struct sample *s)
{
	b->sum = b->n ? b->sum + s->value : s->value;
	b->min = b->n ? fmin(b->min, s->value) : s->value;
	b->max = b->n ? fmax(b->max, s->value) : s->value;
	b->step = s->step;
	b->epoch = s->epoch;
	b->time_ms = s->time_ms;
	b->n++;
}

static int add_one(struct conn *c, int64_t series, struct tail *tail, const struct sample *s, struct err *err)
{
	int code = OK;
	for (int level = 0; level < BLOCK_LEVELS && !code; level++) {
		struct bundle *b = &tail->level[level];
		block_add(b, s);
		if (b->n < level_size(level))
			continue;
		const struct packed whole = pack(b);
		code = sql_run(c, SQL_BLOCK_PUT, err, "iiib", series, (int64_t)level, b->step, &whole, sizeof whole);
		*b = (struct bundle){0};
	}
	return code;
}

static int add_records(
	struct conn *c, int64_t series, struct tail *tail, const void *records, size_t bytes, struct err *err)
{
	const char *at = records;
	int code = OK;
	for (size_t i = 0; i < bytes / sizeof(struct record) && !code; i++, at += sizeof(struct record)) {
		const struct sample s = record_read(at);
		code = add_one(c, series, tail, &s, err);
	}
	return code;
}

int blocks_add(struct conn *c, int64_t series, struct tail *tail, const void *records, size_t bytes, struct err *err)
{
	int code = add_records(c, series, tail, records, bytes, err);
	return code ? code : tail_write(c, series, tail, err);
}

int blocks_rebuild(struct conn *c, int64_t series, struct tail *ret, struct err *err)
{
	sqlite3_stmt *q;
	bool row;
	*ret = (struct tail){0};
	int code = sql_run(c, SQL_BLOCKS_DROP, err, "i", series);
	if (!code)
		code = sql_start(c, SQL_POINTS_OF, &q, err, "ii", series, INT64_MIN);
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		code = add_records(c, series, ret, sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0), err);
		if (code)
			sql_reset(q);
	}
	return code ? code : tail_write(c, series, ret, err);
}

/* --- reading --- */

int curve_reserve(struct curve *c, size_t n, struct err *err)
{
	struct {
		void **array;
		size_t size;
	} columns[] = {{(void **)&c->step, sizeof *c->step}, {(void **)&c->epoch, sizeof *c->epoch},
		{(void **)&c->value, sizeof *c->value}, {(void **)&c->min, sizeof *c->min}, {(void **)&c->max, sizeof *c->max},
		{(void **)&c->time_ms, sizeof *c->time_ms}, {(void **)&c->weight, sizeof *c->weight}};
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		void *more = realloc(*columns[i].array, n * columns[i].size);
		if (!more)
			return err_set(err, ERR_NO_MEMORY, "out of memory");
		*columns[i].array = more;
	}
	return OK;
}

static void push(struct curve *c, const struct bundle *b)
{
	c->step[c->n] = b->step;
	c->epoch[c->n] = b->epoch;
	c->time_ms[c->n] = b->time_ms;
	c->value[c->n] = b->sum / (double)b->n;
	c->min[c->n] = b->min;
	c->max[c->n] = b->max;
	c->weight[c->n++] = (double)b->n;
}

/* The coarsest level that still has `wanted` blocks; -1: none. */
static int choose(
	struct conn *c, int64_t series, struct steps span, int64_t wanted, int *ret, int64_t *ret_n, struct err *err)
{
	int code = OK;
	*ret_n = -1;
	for (*ret = BLOCK_LEVELS - 1; *ret >= 0 && !code; --*ret) {
		code = sql_int(c, SQL_BLOCKS_COUNT, ret_n, 0, err, "iiii", series, (int64_t)*ret, span.from, span.to);
		if (*ret_n >= wanted)
			break;
	}
	return code;
}

/* The points from from_step to last_step, as one. */
static int read_part(
	struct conn *c, int64_t series, int64_t from_step, int64_t last_step, struct bundle *ret, struct err *err)
{
	sqlite3_stmt *q;
	bool row;
	*ret = (struct bundle){0};
	int code = sql_start(c, SQL_POINTS_OF, &q, err, "ii", series, from_step);
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		const char *at = sqlite3_column_blob(q, 0);
		size_t n = (size_t)sqlite3_column_bytes(q, 0) / sizeof(struct record);
		struct sample s = {.step = last_step};
		for (size_t i = 0; i < n; i++) {
			s = record_read(at + i * sizeof(struct record));
			if (s.step >= from_step && s.step <= last_step)
				block_add(ret, &s);
		}
		if (s.step >= last_step) {
			sql_reset(q);
			break;
		}
	}
	return code;
}

/* The first block may have begun before from_step. */
static int push_first(struct conn *c, int64_t series, int level, int64_t from_step, const struct bundle *first,
	struct curve *ret, struct err *err)
{
	struct bundle part = *first;
	int64_t before = -1;
	int code = sql_int(c, SQL_BLOCK_BEFORE, &before, -1, err, "iii", series, (int64_t)level, first->step);
	if (!code && from_step > before + 1)
		code = read_part(c, series, from_step, first->step, &part, err);
	if (!code && part.n)
		push(ret, &part);
	return code;
}

static int push_all(struct conn *c, int64_t series, int level, struct steps span, struct curve *ret, struct err *err)
{
	sqlite3_stmt *q;
	bool row, any = false;
	int code = sql_start(c, SQL_BLOCKS, &q, err, "iiii", series, (int64_t)level, span.from, span.to);
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		if (sqlite3_column_bytes(q, 0) != sizeof(struct packed)) {
			code = err_set(err, ERR_CORRUPT, "a block of series %lld has the wrong size", (long long)series);
		} else {
			const struct bundle b = unpack(sqlite3_column_blob(q, 0));
			if (any)
				push(ret, &b);
			else
				code = push_first(c, series, level, span.from, &b, ret, err);
			any = true;
		}
		if (code)
			sql_reset(q);
	}
	return code;
}

/* What comes after the last whole block: all there is, or the points up to a step. */
static int push_last(
	struct conn *c, int64_t series, const struct bundle *tail, struct steps span, struct curve *ret, struct err *err)
{
	struct bundle part = *tail;
	int code = OK;
	if (tail->n ? span.to < tail->step : ret->n && ret->step[ret->n - 1] < span.to)
		code = read_part(c, series, ret->n ? ret->step[ret->n - 1] + 1 : span.from, span.to, &part, err);
	if (!code && part.n)
		push(ret, &part);
	return code;
}

int blocks_curve(struct conn *c, int64_t series, const struct tail *tail, struct steps span, size_t points,
	struct curve *ret, bool *ret_done, struct err *err)
{
	int level;
	int64_t n;
	int code = choose(c, series, span, 2 * (int64_t)points, &level, &n, err);
	*ret_done = !code && level >= 0;
	if (!*ret_done)
		return code;
	code = curve_reserve(ret, (size_t)n + 1, err);
	if (!code)
		code = push_all(c, series, level, span, ret, err);
	return code ? code : push_last(c, series, &tail->level[level], span, ret, err);
}
