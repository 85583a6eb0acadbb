#include "server/route.h"

#include "server/handlers/handlers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AS(...) sizeof((enum format[]){__VA_ARGS__}) / sizeof(enum format), {__VA_ARGS__}
#define JSON AS(FORMAT_JSON)
#define PNG AS(FORMAT_PNG)
#define TEXT AS(FORMAT_TEXT)
#define FILES AS(FORMAT_FILE)
#define PIXELS AS(FORMAT_JSON, FORMAT_PNG, FORMAT_NPY)
#define GET METHOD_GET
#define POST METHOD_POST
#define SAMPLING "count seed distribution low high cols scale"

/* clang-format off */
const struct route routes[] = {
	{GET, "/", h_page, FILES, "*", ROUTE_OPEN | ROUTE_INLINE, "the dashboard"},
	{GET, "/livez", h_livez, TEXT, "", ROUTE_OPEN | ROUTE_INLINE, "the process answers"},
	{GET, "/healthz", h_livez, TEXT, "", ROUTE_OPEN | ROUTE_INLINE, "the same as /livez"},
	{GET, "/readyz", h_readyz, TEXT, "verbose", ROUTE_OPEN, "takes new work; ?verbose names each check"},
	{GET, "/metrics", h_metrics, TEXT, "", 0, "figures for Prometheus"},
	{GET, "/v1/info", h_info, JSON, "", ROUTE_INLINE, "version, processor, limits"},
	{GET, "/v1/openapi.json", h_openapi, FILES, "", ROUTE_INLINE, "this API, formally"},
	{GET, "/v1/kinds", h_kinds, JSON, "", ROUTE_INLINE, "what can be trained"},
	{GET, "/v1/kinds/{kind}", h_kind, JSON, "", ROUTE_INLINE, "its parameters, presets, series and abilities"},
	{GET, "/v1/datasets", h_datasets, JSON, "", 0, "data sets found, and what is missing"},
	{GET, "/v1/datasets/{dataset}", h_dataset, JSON, "", 0, "one data set"},
	{METHOD_PUT, "/v1/datasets/{dataset}", h_dataset_put, JSON, "", ROUTE_BODY | ROUTE_TAR | ROUTE_WORK, "upload one, as a tar of its folder"},
	{METHOD_DELETE, "/v1/datasets/{dataset}", h_dataset_delete, JSON, "", 0, "remove one that was uploaded"},
	{GET, "/v1/datasets/{dataset}/images", h_dataset_images, PNG, "split indices offset count cols scale", 0, "its images, side by side"},
	{GET, "/v1/datasets/{dataset}/labels", h_dataset_labels, AS(FORMAT_JSON, FORMAT_NPY), "split", 0, "the class of each image; cacheable"},
	{POST, "/v1/jobs", h_job_submit, JSON, "validate_only", ROUTE_BODY | ROUTE_WORK, "submit a job"},
	{GET, "/v1/jobs", h_job_list, JSON, "limit after order status kind name dataset study", 0, "list jobs, newest first"},
	{GET, "/v1/jobs/{job}", h_job_show, JSON, "wait_s", 0, "one job; ?wait_s= until it ended"},
	{METHOD_PATCH, "/v1/jobs/{job}", h_job_edit, JSON, "", ROUTE_BODY | ROUTE_PATCH, "change its name, priority, metadata, live parameters"},
	{METHOD_DELETE, "/v1/jobs/{job}", h_job_delete, JSON, "", 0, "forget a job that has ended, with all its files"},
	{POST, "/v1/jobs/{job}/pause", h_job_command, JSON, "", 0, "checkpoint it and free its worker; one that waits is held"},
	{POST, "/v1/jobs/{job}/resume", h_job_command, JSON, "", 0, "go on from there"},
	{POST, "/v1/jobs/{job}/stop", h_job_command, JSON, "", 0, "end it now and keep the model"},
	{POST, "/v1/jobs/{job}/cancel", h_job_command, JSON, "", 0, "give it up; {\"force\":true}: whatever its worker does"},
	{POST, "/v1/jobs/{job}/retry", h_job_command, JSON, "", 0, "one that failed or was cancelled goes on from its newest checkpoint"},
	{POST, "/v1/jobs/{job}/checkpoint", h_job_checkpoint, JSON, "", 0, "write a checkpoint now"},
	{GET, "/v1/queue", h_queue, JSON, "", 0, "how many jobs wait and run, and which are next"},
	{POST, "/v1/queue/pause", h_queue_pause, JSON, "", 0, "start no more jobs; those that run go on"},
	{POST, "/v1/queue/resume", h_queue_resume, JSON, "", 0, "start jobs again"},
	{POST, "/v1/jobs/{job}/fork", h_job_fork, JSON, "validate_only", ROUTE_WORK, "a new job that goes on from a checkpoint of it"},
	{POST, "/v1/jobs/{job}/verify", h_job_verify, JSON, "", ROUTE_WORK, "take some of its steps again and compare"},
	{GET, "/v1/jobs/{job}/metrics", h_job_metrics, AS(FORMAT_JSON, FORMAT_CSV), "names by points from_step to_step", 0, "its curves as numbers"},
	{GET, "/v1/jobs/{job}/curves", h_curves, AS(FORMAT_SVG, FORMAT_PNG), "names x log scale", 0, "its curves as a picture"},
	{GET, "/v1/jobs/{job}/events", h_events, AS(FORMAT_JSON, FORMAT_SSE, FORMAT_TEXT), "after limit order types", 0, "what happened; as text/event-stream or .txt: what happens"},
	{GET, "/v1/events", h_events_many, AS(FORMAT_JSON, FORMAT_SSE), "jobs after limit", 0, "the same of several jobs, as one list or stream"},
	{GET, "/v1/metrics", h_metrics_many, JSON, "jobs names by points from_step to_step", 0, "the curves of several jobs"},
	{GET, "/v1/jobs/{job}/previews", h_previews, JSON, "limit after order", 0, "preview pictures, by epoch"},
	{GET, "/v1/jobs/{job}/previews/{epoch}/reconstructions", h_preview, PNG, "step scale", 0, "originals above, reconstructions beneath"},
	{GET, "/v1/jobs/{job}/previews/{epoch}/samples", h_preview, PNG, "step scale", 0, "decoded samples, the same codes each time"},
	{GET, "/v1/jobs/{job}/previews/{epoch}/map", h_preview, PNG, "step scale", 0, "the map of a projection as it was then"},
	{GET, "/v1/jobs/{job}/reconstructions", h_preview_latest, PNG, "scale", 0, "the newest reconstructions"},
	{GET, "/v1/jobs/{job}/samples", h_preview_latest, PNG, "scale", 0, "the newest samples"},
	{GET, "/v1/jobs/{job}/timelapse", h_timelapse, PNG, "kind delay_ms max_frames scale", 0, "its previews as an animation; cacheable"},
	{GET, "/v1/jobs/{job}/bundle.tar", h_bundle, FILES, "", 0, "all there is of it: parameters, curves, pictures, weights, code"},
	{GET, "/v1/jobs/{job}/confusion", h_confusion, AS(FORMAT_JSON, FORMAT_PNG, FORMAT_CSV), "scale", 0, "which classes of the test images are taken for which"},
	{GET, "/v1/jobs/{job}/projection", h_projection, AS(FORMAT_JSON, FORMAT_PNG, FORMAT_CSV, FORMAT_NPY), "scale", 0, "its map: where each image lies, and its class"},
	{GET, "/v1/jobs/{job}/trials", h_study_trials, AS(FORMAT_JSON, FORMAT_CSV), "", 0, "what a study has tried, and what came of it"},
	{GET, "/v1/jobs/{job}/history", h_study_history, AS(FORMAT_JSON, FORMAT_CSV, FORMAT_PNG, FORMAT_SVG), "log scale", 0, "the values of its trials, and the best so far"},
	{GET, "/v1/jobs/{job}/importance", h_study_importance, JSON, "", 0, "how much each parameter had to do with being among the best"},
	{GET, "/v1/jobs/{job}/sheet", h_study_sheet, PNG, "scale", 0, "all of it as one picture"},
	{GET, "/v1/jobs/{job}/best", h_study_best, JSON, "", 0, "the best of a study, and how much better than its baseline"},
	{GET, "/v1/jobs/{job}/checkpoints", h_checkpoints, JSON, "limit after order", 0, "its checkpoints"},
	{GET, "/v1/jobs/{job}/checkpoints/{checkpoint}/weights", h_checkpoint_weights, FILES, "", 0, "best, last or an epoch, as safetensors"},
	{GET, "/v1/models", h_models, JSON, "limit after order", 0, "jobs that can decode"},
	{GET, "/v1/models/{model}", h_model, JSON, "", 0, "its shape, abilities and range of codes"},
	{GET, "/v1/models/{model}/weights", h_model_weights, FILES, "", 0, "as safetensors"},
	{GET, "/v1/models/{model}/pytorch.py", h_pytorch, FILES, "", 0, "the net as a PyTorch script that loads the weights"},
	{POST, "/v1/models/{model}/decode", h_decode, PIXELS, "scale", ROUTE_BODY | ROUTE_BINARY, "codes to images"},
	{GET, "/v1/models/{model}/decode", h_decode_get, PIXELS, "z cols scale", 0, "codes in the URL to images; cacheable"},
	{POST, "/v1/models/{model}/sample", h_sample, PIXELS, "scale", 0, "new images from a seed"},
	{GET, "/v1/models/{model}/samples", h_samples_get, PIXELS, SAMPLING, 0, "the same, with everything in the URL; cacheable"},
	{POST, "/v1/models/{model}/interpolate", h_interpolate, PIXELS, "scale", ROUTE_BODY, "images on the way from one code to another"},
	{GET, "/v1/models/{model}/latents", h_latents, AS(FORMAT_JSON, FORMAT_NPY, FORMAT_CSV), "split n offset", 0, "the codes of a split of its data set; cacheable"},
	{GET, "/v1/models/{model}/latents/stats", h_latent_stats, JSON, "split n offset", 0, "what they are like, of all images and of each class; cacheable"},
	{POST, "/v1/models/{model}/nearest", h_nearest, PIXELS, "scale", ROUTE_BODY | ROUTE_BINARY, "the training images nearest to a code or an image"},
	{GET, "/v1/models/{model}/manifold", h_manifold, PIXELS, "n dims scale", 0, "images of a grid over two units; cacheable"},
	{GET, "/v1/models/{model}/traversals", h_traversals, PIXELS, "units steps range scale", 0, "images along each unit, a row each; cacheable"},
	{POST, "/v1/models/{model}/arithmetic", h_arithmetic, PIXELS, "scale", ROUTE_BODY, "the image of a sum of codes"},
	{POST, "/v1/models/{model}/encode", h_encode, AS(FORMAT_JSON, FORMAT_NPY), "", ROUTE_BODY | ROUTE_BINARY, "images to codes"},
	{POST, "/v1/models/{model}/reconstruct", h_reconstruct, PIXELS, "scale", ROUTE_BODY | ROUTE_BINARY, "images to codes and back"},
	{POST, "/v1/models/{model}/classify", h_classify, AS(FORMAT_JSON, FORMAT_NPY), "", ROUTE_BODY | ROUTE_BINARY, "images to classes"},
	{POST, "/v1/models/{model}/score", h_score, JSON, "", 0, "what the judge says of its samples"},
	{GET, "/v1/models/{model}/classes", h_classes, PNG, SAMPLING, 0, "samples of each class, the most certain first; cacheable"},
	{GET, "/*", h_page, FILES, "*", ROUTE_OPEN | ROUTE_INLINE, "files of the dashboard"},
	{0, NULL, NULL, 0, {0}, NULL, 0, NULL},
};
/* clang-format on */

enum door_body route_body(const struct route *r)
{
	return r->flags & ROUTE_TAR ? DOOR_TAR : r->flags & ROUTE_BINARY ? DOOR_PIXELS : r->flags & ROUTE_PATCH ? DOOR_PATCH : DOOR_JSON;
}

/* The format whose suffix ends `text`, FORMAT_COUNT if none. */
static enum format suffix_of(const char *text)
{
	const char *dot = strrchr(text, '.');
	for (int f = 0; dot && dot > text && f < FORMAT_COUNT; f++)
		if (format_suffix((enum format)f) && !strcmp(format_suffix((enum format)f), dot))
			return (enum format)f;
	return FORMAT_COUNT;
}

static bool offers(const struct route *r, enum format f)
{
	for (int i = 0; i < r->nformats; i++)
		if (r->format[i] == f)
			return true;
	return false;
}

struct match {
	char *arg[CALL_ARGS_MAX];
	enum format suffix; /* FORMAT_COUNT: none */
	size_t keep;        /* bytes of the last segment before the suffix */
	bool takes_all;
};

/* A last segment: as it is, or without a format's suffix. A parameter only gives up a suffix the row offers: names have dots. */
static bool match_last(const struct route *r, const char *part, size_t n, char *segment, struct match *m)
{
	bool parameter = *part == '{';
	size_t size = strlen(segment);
	if (!size)
		return false;
	if (!parameter && size == n && !memcmp(part, segment, n))
		return true;
	enum format f = suffix_of(segment);
	if (f == FORMAT_COUNT)
		return parameter;
	size_t keep = size - strlen(format_suffix(f));
	if (parameter ? !offers(r, f) : keep != n || memcmp(part, segment, n) != 0)
		return parameter;
	m->suffix = f;
	m->keep = keep;
	return true;
}

static bool matches(const struct route *r, const struct uri *u, struct match *m)
{
	*m = (struct match){.suffix = FORMAT_COUNT};
	int nargs = 0, i = 0;
	for (const char *at = r->pattern; *at == '/' && at[1]; i++) {
		const char *part = at + 1;
		size_t n = strcspn(part, "/");
		at = part + n;
		if (*part == '*')
			return m->takes_all = u->nsegments > i;
		if (i >= u->nsegments)
			return false;
		char *segment = u->segment[i];
		bool last = i == u->nsegments - 1 && !*at;
		if (last ? !match_last(r, part, n, segment, m) : *part != '{' && (strlen(segment) != n || memcmp(part, segment, n)))
			return false;
		if (*part == '{') {
			if (!*segment)
				return false;
			m->arg[nargs++] = segment;
		}
	}
	return i == u->nsegments && !u->asterisk;
}

/* Quality 0..1000 that an Accept header gives to a media type, -1 if it names none that fits; the most specific range wins. */
static int quality(const char *accept, const char *media)
{
	size_t type = strcspn(media, "/");
	int best_specificity = -1, best = -1;
	for (const char *at = accept; *(at += strspn(at, ", \t"));) {
		size_t range = strcspn(at, ",; \t"), all = strcspn(at, ",");
		int specificity = -1;
		if (!strcmp(media, "*/*") || (range == 3 && !strncmp(at, "*/*", 3)))
			specificity = 0;
		else if (range == type + 2 && !strncasecmp(at, media, type + 1) && at[range - 1] == '*')
			specificity = 1;
		else if (range == strlen(media) && !strncasecmp(at, media, range))
			specificity = 2;
		if (specificity > best_specificity) {
			const char *q = memmem(at, all, "q=", 2);
			best_specificity = specificity;
			best = q ? (int)(strtod(q + 2, NULL) * 1000 + 0.5) : 1000;
		}
		at += all;
	}
	return best;
}

enum format route_accept(const struct route *r, const char *accept)
{
	if (!accept || !*accept)
		return r->format[0];
	int best = 0;
	enum format chosen = FORMAT_COUNT;
	for (int i = 0; i < r->nformats; i++) {
		int q = quality(accept, format_media(r->format[i]));
		if (q > best) {
			best = q;
			chosen = r->format[i];
		}
	}
	return chosen;
}

static void list_formats(const struct route *r, char *text, size_t size)
{
	size_t used = 0;
	*text = '\0';
	for (int i = 0; i < r->nformats && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "," : "", format_name(r->format[i]));
}

static int choose_format(struct call *c, const struct match *m, struct err *err)
{
	enum format f = m->suffix;
	if (f == FORMAT_COUNT)
		f = route_accept(c->route, c->req.accept);
	else
		c->req.uri.segment[c->req.uri.nsegments - 1][m->keep] = '\0';
	if (offers(c->route, f)) {
		c->format = f;
		return 0;
	}
	char text[64];
	list_formats(c->route, text, sizeof text);
	if (c->route->format[0] == FORMAT_FILE)
		err_set(err, ERR_ACCEPT, "this is a file and comes in one form only: no suffix, Accept: */*");
	else
		err_set(err, ERR_ACCEPT, "this comes only as: %s", text);
	return 406;
}

static void add_allow(char allow[ROUTE_ALLOW_SIZE], enum method m)
{
	size_t used = strlen(allow);
	snprintf(allow + used, ROUTE_ALLOW_SIZE - used, "%s%s", used ? ", " : "", m == METHOD_GET ? "GET, HEAD" : method_name(m));
}

int route_find(struct call *c, char allow[ROUTE_ALLOW_SIZE], struct err *err)
{
	enum method method = c->req.method == METHOD_HEAD ? METHOD_GET : c->req.method;
	*allow = '\0';
	for (const struct route *r = routes; r->pattern; r++) {
		struct match m;
		if (!matches(r, &c->req.uri, &m) || (m.takes_all && (*allow || r->method != method)))
			continue;
		if (r->method == method) {
			c->route = r;
			memcpy(c->arg, m.arg, sizeof c->arg);
			return choose_format(c, &m, err);
		}
		add_allow(allow, r->method);
	}
	if (!*allow) {
		err_set(err, ERR_NOT_FOUND, "nothing is at this address; the API begins at /v1/info, its description is /v1/openapi.json");
		return 404;
	}
	size_t used = strlen(allow);
	snprintf(allow + used, ROUTE_ALLOW_SIZE - used, ", OPTIONS");
	err_set(err, ERR_INVALID, "this address answers %s", allow);
	return 405;
}

void route_dump(FILE *out)
{
	for (const struct route *r = routes; r->pattern; r++) {
		char formats[64];
		list_formats(r, formats, sizeof formats);
		fprintf(out, "%s\t%s\t%s\t%s\n", method_name(r->method), r->pattern, formats, r->help);
	}
}
