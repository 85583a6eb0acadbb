/* t-SNE of codes in a .npy file, and how good its map is; tests/bench/tsne.py sets it beside scikit-learn's. */
#include "core/base/cpu.h"
#include "core/data/npy.h"
#include "core/lab/quality.h"
#include "core/lab/tsne.h"
#include "tests/bench/bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct asked {
	const char *codes, *map; /* paths; map NULL: not written */
	int threads;
	struct tsne_options o;
	const struct kern *kern;
};

/* Of all threads, which neighbours on the machine do not lengthen. */
static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int complain(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	return 1;
}

static int parse(struct asked *a, int argc, char **argv)
{
	static const struct option options[] = {{"threads", 1, NULL, 't'}, {"iterations", 1, NULL, 'i'},
		{"perplexity", 1, NULL, 'p'}, {"theta", 1, NULL, 'a'}, {"level", 1, NULL, 'l'}, {"map", 1, NULL, 'm'}, {0}};
	enum cpu_level level = cpu_best();
	optind = 1;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == '?' || (c == 'l' && !cpu_parse(optarg, &level)))
			return BENCH_USAGE;
		if (c == 't')
			a->threads = atoi(optarg);
		if (c == 'i')
			a->o.iterations = atoi(optarg);
		if (c == 'p')
			a->o.perplexity = atof(optarg);
		if (c == 'a')
			a->o.theta = atof(optarg);
		if (c == 'm')
			a->map = optarg;
	}
	if (optind != argc - 1 || a->threads < 1 || a->o.iterations < 1)
		return BENCH_USAGE;
	a->codes = argv[optind];
	a->kern = kern_at(level);
	return a->kern ? 0 : complain("this processor has no such level");
}

static float *read_codes(const char *path, int64_t shape[4])
{
	struct buf file = BUF_INIT;
	struct err err = {.message = "out of memory"};
	float *codes = NULL;
	FILE *f = fopen(path, "rb");
	char *room;
	for (size_t got = 1; f && got && (room = buf_reserve(&file, 1 << 20)); file.len += got)
		got = fread(room, 1, 1 << 20, f);
	int rank;
	if (!f)
		complain("no such file");
	else if (file.failed || npy_read(&codes, shape, &rank, file.data, file.len, &err))
		complain(err.message);
	if (f)
		fclose(f);
	buf_free(&file);
	return codes;
}

static int write_map(const char *path, const double *map, size_t n)
{
	struct buf file = BUF_INIT;
	float *narrow = calloc(2 * n, sizeof *narrow);
	for (size_t i = 0; narrow && i < 2 * n; i++)
		narrow[i] = (float)map[i];
	if (narrow)
		npy_write(&file, narrow, (const int64_t[]){(int64_t)n, 2}, 2);
	FILE *f = fopen(path, "wb");
	const bool whole = f && narrow && !file.failed && fwrite(file.data, 1, file.len, f) == file.len;
	free(narrow);
	buf_free(&file);
	return (f && fclose(f)) || !whole ? complain("the map cannot be written") : 0;
}

static int report(const struct asked *a, const float *codes, size_t n, int d, struct pool *pool)
{
	struct tsne *t;
	struct quality q;
	struct err err = {0};
	double kl = 0, start = bench_wall_s(), cpu = cpu_s();
	if (tsne_open(&t, codes, n, d, &a->o, pool, a->kern, &err))
		return complain(err.message);
	const double opened = bench_wall_s();
	int code = 0;
	while (!code && tsne_iteration(t) < a->o.iterations)
		code = tsne_step(t, &kl, &err);
	const double ended = bench_wall_s();
	cpu = cpu_s() - cpu;
	const struct quality_of of = {.x = codes, .n = n, .d = d, .map = tsne_map(t)};
	if (!code)
		code = quality_measure(&q, &of, pool, a->kern, &err);
	if (!code)
		printf(
			"{\"bench\":\"tsne\",\"n\":%zu,\"d\":%d,\"iterations\":%lld,\"theta\":%g,\"threads\":%d,\"level\":\"%s\","
			"\"seconds\":%.3f,\"cpu_s\":%.3f,\"affinity_s\":%.3f,\"quality_s\":%.3f,\"kl\":%.6f,\"trustworthiness\":%.6f,\"recall\":%.4f}\n",
			n, d, (long long)a->o.iterations, a->o.theta, a->threads, cpu_name(a->kern->level), ended - start, cpu,
			opened - start, bench_wall_s() - ended, tsne_gradient(t, NULL), q.trustworthiness[1], q.recall);
	else
		complain(err.message);
	if (!code && a->map)
		code = write_map(a->map, tsne_map(t), n);
	tsne_close(t);
	return code ? 1 : 0;
}

int bench_tsne(int argc, char **argv)
{
	struct asked a = {.threads = 2, .o = tsne_defaults};
	struct pool *pool;
	int64_t shape[4];
	int code = parse(&a, argc, argv);
	if (code)
		return code;
	float *codes = read_codes(a.codes, shape);
	if (!codes)
		return 1;
	if (pool_open(&pool, a.threads, NULL)) {
		free(codes);
		return complain("no threads");
	}
	code = report(&a, codes, (size_t)shape[0], (int)(shape[1] * shape[2] * shape[3]), pool);
	pool_close(pool);
	free(codes);
	return code;
}
