#include "server/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { KINDS_MAX = 16, REPLIES_MAX = 512, WORD = 32 };

/* Upper bounds of the buckets, in seconds. */
static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
enum { BOUNDS = sizeof bounds / sizeof *bounds };

static const struct {
	const char *name, *help;
} histograms[METRIC_HISTOGRAM_COUNT] = {
#define X(id, name, help) [id] = {name, help},
	METRIC_HISTOGRAMS(X)
#undef X
};

/* One lock: each addition is a few instructions, and a scrape copies nothing larger than a page. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	uint64_t bucket[BOUNDS + 1], count;
	double sum;
} observed[METRIC_HISTOGRAM_COUNT];
static struct {
	char kind[WORD];
	uint64_t samples;
} trained[KINDS_MAX];
static struct {
	const char *method, *route; /* rows of tables: they live for ever */
	int status;
	uint64_t n;
} replies[REPLIES_MAX];
static int sse_clients;

void metrics_observe(enum metric_histogram h, double seconds)
{
	int i = 0;
	while (i < BOUNDS && seconds > bounds[i])
		i++;
	pthread_mutex_lock(&lock);
	observed[h].bucket[i]++;
	observed[h].count++;
	observed[h].sum += seconds;
	pthread_mutex_unlock(&lock);
}

void metrics_train_samples(const char *kind, uint64_t n)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < KINDS_MAX; i++) {
		if (!*trained[i].kind)
			snprintf(trained[i].kind, WORD, "%s", kind);
		if (!strcmp(trained[i].kind, kind)) {
			trained[i].samples += n;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

void metrics_http_request(const char *method, const char *route, int status)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < REPLIES_MAX; i++) {
		if (!replies[i].n) {
			replies[i].method = method;
			replies[i].route = route;
			replies[i].status = status;
		}
		if (replies[i].status == status && !strcmp(replies[i].method, method) && !strcmp(replies[i].route, route)) {
			replies[i].n++;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

void metrics_sse_clients(int change)
{
	pthread_mutex_lock(&lock);
	sse_clients += change;
	pthread_mutex_unlock(&lock);
}

static void print_head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_histogram(struct buf *b, int h)
{
	const char *name = histograms[h].name;
	uint64_t total = 0;
	print_head(b, name, "histogram", histograms[h].help);
	for (int i = 0; i < BOUNDS; i++) {
		total += observed[h].bucket[i];
		buf_printf(b, "%s_bucket{le=\"%g\"} %llu\n", name, bounds[i], (unsigned long long)total);
	}
	buf_printf(b, "%s_bucket{le=\"+Inf\"} %llu\n", name, (unsigned long long)observed[h].count);
	buf_printf(b, "%s_sum %.9g\n%s_count %llu\n", name, observed[h].sum, name, (unsigned long long)observed[h].count);
}

static void print_counters(struct buf *b)
{
	print_head(b, "latentd_train_samples_total", "counter", "Images trained on, by kind.");
	for (int i = 0; i < KINDS_MAX && *trained[i].kind; i++)
		buf_printf(b, "latentd_train_samples_total{kind=\"%s\"} %llu\n", trained[i].kind,
			(unsigned long long)trained[i].samples);
	print_head(b, "latentd_http_requests_total", "counter", "Replies, by method, route and status.");
	for (int i = 0; i < REPLIES_MAX && replies[i].n; i++)
		buf_printf(b, "latentd_http_requests_total{method=\"%s\",route=\"%s\",code=\"%d\"} %llu\n", replies[i].method,
			replies[i].route, replies[i].status, (unsigned long long)replies[i].n);
	print_head(b, "latentd_sse_clients", "gauge", "Open event streams.");
	buf_printf(b, "latentd_sse_clients %d\n", sse_clients);
}

/* Pages of memory: total, then resident. */
static void read_statm(long long *ret_total, long long *ret_resident)
{
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f)
		return;
	if (fscanf(f, "%lld %lld", ret_total, ret_resident) != 2)
		*ret_total = *ret_resident = 0;
	fclose(f);
}

static void print_process(struct buf *b)
{
	struct timespec cpu;
	long long total = 0, resident = 0, page = sysconf(_SC_PAGESIZE);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	read_statm(&total, &resident);
	print_head(b, "process_cpu_seconds_total", "counter", "User and system time.");
	buf_printf(b, "process_cpu_seconds_total %.3f\n", (double)cpu.tv_sec + (double)cpu.tv_nsec * 1e-9);
	print_head(b, "process_virtual_memory_bytes", "gauge", "Virtual memory.");
	buf_printf(b, "process_virtual_memory_bytes %lld\n", total * page);
	print_head(b, "process_resident_memory_bytes", "gauge", "Resident memory.");
	buf_printf(b, "process_resident_memory_bytes %lld\n", resident * page);
}

void metrics_print(struct buf *b)
{
	pthread_mutex_lock(&lock);
	for (int h = 0; h < METRIC_HISTOGRAM_COUNT; h++)
		print_histogram(b, h);
	print_counters(b);
	pthread_mutex_unlock(&lock);
	print_process(b);
}
