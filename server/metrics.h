/* metrics.h: counters the whole daemon adds to and GET /metrics prints (Prometheus text 0.0.4). Job ids are never labels. */
#ifndef LATENTD_SERVER_METRICS_H
#define LATENTD_SERVER_METRICS_H

#include "core/base/buf.h"

#include <stdint.h>

/* Histograms in seconds: id, name, help */
#define METRIC_HISTOGRAMS(X) \
	X(METRIC_DECODE_SECONDS, "latentd_decode_duration_seconds", "Time to decode one request's vectors.") \
	X(METRIC_CHECKPOINT_SECONDS, "latentd_checkpoint_write_duration_seconds", "Time to make one checkpoint durable.") \
	X(METRIC_HTTP_SECONDS, "latentd_http_request_duration_seconds", "Time from the whole request to the whole reply.")
enum metric_histogram {
#define X(id, name, help) id,
	METRIC_HISTOGRAMS(X)
#undef X
	METRIC_HISTOGRAM_COUNT
};

void metrics_observe(enum metric_histogram h, double seconds);
/* latentd_train_samples_total{kind}. */
void metrics_train_samples(const char *kind, uint64_t n);
/* latentd_http_requests_total{method,route,code}: route = the pattern, not the path. */
void metrics_http_request(const char *method, const char *route, int status);
/* latentd_sse_clients. */
void metrics_sse_clients(int change);
/* Appends everything metrics.c knows; the handler adds job counts and build info. */
void metrics_print(struct buf *b);

#endif
