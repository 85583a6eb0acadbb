/* main.c: settings → data directory → store → compute → cache → scheduler → HTTP; then waits for signals; closes in reverse. */
#include "api/json.h"
#include "server/blob.h"
#include "server/clock.h"
#include "server/command.h"
#include "server/config.h"
#include "server/crash.h"
#include "server/daemon.h"
#include "server/door.h"
#include "server/http.h"
#include "server/job_delete.h"
#include "server/limits.h"
#include "server/listen.h"
#include "server/log.h"
#include "server/route.h"
#include "server/upload.h"
#include "server/version.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SWEEP_S = 10, SAME_SIGNAL_MS = 100 };

/* Everything that was opened, so that one function closes it whatever failed. */
struct parts {
	struct daemon d;
	struct door door;
	struct listen_address address;
	struct http *http;
	int listen_fd, port;
};

/* --- small things before and after --- */

static int fail(int exit_code, const struct err *err)
{
	fprintf(stderr, "latentd: %s\n", err->message);
	return exit_code;
}

static int make_data_dir(const char *path, struct err *err)
{
	struct stat st;
	int code = blob_make_dirs(path, err);
	if (code)
		return code;
	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return err_set(err, ERR_IO, "data directory %s is not a directory", path);
	if (st.st_uid == geteuid() && (st.st_mode & 077) && chmod(path, 0700))
		return err_errno(err, errno, "data directory %s", path);
	return access(path, W_OK | X_OK) ? err_errno(err, errno, "data directory %s", path) : OK;
}

/* Streams and connections each take a descriptor; the soft limit is often 1024. */
static void raise_descriptor_limit(void)
{
	struct rlimit r;
	if (!getrlimit(RLIMIT_NOFILE, &r) && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max < 8192 ? r.rlim_max : 8192;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static void warn_of_readable_token(const char *path)
{
	struct stat st;
	if (*path && !stat(path, &st) && st.st_mode & 077)
		log_warn("token file can be read by others", "file=%s remedy=%s", log_quote(path), log_quote("chmod 600"));
}

static int write_port_file(const char *path, const struct parts *p, struct err *err)
{
	char temporary[4100];
	if (!*path)
		return OK;
	snprintf(temporary, sizeof temporary, "%s.new", path);
	FILE *f = fopen(temporary, "we");
	if (!f)
		return err_errno(err, errno, "port file %s", temporary);
	bool written = fprintf(f, "%d\n", p->port) > 0;
	written = !fclose(f) && written;
	if (!written || rename(temporary, path))
		return err_errno(err, errno, "port file %s", path);
	return OK;
}

/* --- opening and closing --- */

static int open_data(struct parts *p, int *ret_exit, struct err *err)
{
	const struct config *c = p->d.config;
	*ret_exit = EXIT_IO;
	int code = make_data_dir(c->data_dir, err);
	if (!code)
		code = hub_open(&p->d.hub, err);
	if (!code && (code = store_open(&p->d.store, c->data_dir, err)))
		*ret_exit = code == ERR_IN_USE ? EXIT_DIR_IN_USE : EXIT_IO;
	if (!code)
		upload_sweep(c->data_dir);
	if (!code)
		job_delete_rest(p->d.store, c->data_dir);
	if (!code)
		code = crash_open(p->d.store, c->data_dir, err);
	if (!code)
		store_on_commit(p->d.store, hub_commit, p->d.hub);
	return code;
}

static void committed(void *daemon, const char *job_id, int64_t last_seq, enum job_status status)
{
	struct daemon *d = daemon;
	hub_commit(d->hub, job_id, last_seq, status);
	conductor_commit(d->conductor, status);
}

/* From here on it is told of commits, until the store is closed. */
static int open_conductor(struct daemon *d, struct err *err)
{
	int code = conductor_open(&d->conductor, d->store, d->sched, err);
	if (code)
		return code;
	store_on_commit(d->store, committed, d);
	conductor_wake(d->conductor); /* for what was committed meanwhile */
	return OK;
}

static int open_compute(struct parts *p, int *ret_exit, struct err *err)
{
	struct daemon *d = &p->d;
	const struct config *c = d->config;
	*ret_exit = EXIT_ERROR;
	d->kern = kern_at(c->cpu);
	int code = pool_open(&d->pool, c->threads, err);
	if (!code)
		code = evaluator_open(&d->evaluator, d->pool, d->kern, err);
	if (!code)
		code = cache_open(&d->cache, d->store, c->data_dir, c->dataset_dirs, c->ndataset_dirs, err);
	struct sched_config s = {.store = d->store, .cache = d->cache, .pool = d->pool, .kern = d->kern, .data_dir = c->data_dir,
		.workers = c->workers, .queue_limit = LIMIT_QUEUE, .evaluator = d->evaluator, .path_prefix = c->path_prefix};
	if (!code)
		code = sched_open(&d->sched, &s, err);
	return code ? code : open_conductor(d, err);
}

static int open_door(struct parts *p, int *ret_exit, struct err *err)
{
	const struct config *c = p->d.config;
	*ret_exit = EXIT_CONFIG;
	int code = listen_parse(&p->address, c->listen, err);
	if (!code && *c->token_file)
		code = door_read_token(&p->door, c->token_file, err);
	p->door.allowed_hosts = c->allowed_hosts;
	snprintf(p->door.listen_host, sizeof p->door.listen_host, "%s", p->address.host);
	if (!code && (code = listen_open(&p->address, &p->listen_fd, &p->port, err)))
		*ret_exit = code == ERR_IN_USE ? EXIT_ADDRESS_IN_USE : EXIT_IO;
	return code;
}

static int open_all(struct parts *p, int *ret_exit, struct err *err)
{
	/* the address first: a taken one must not cost the other daemon's directory its lock */
	int code = open_door(p, ret_exit, err);
	if (!code)
		code = open_data(p, ret_exit, err);
	if (!code)
		code = open_compute(p, ret_exit, err);
	if (code)
		return code;
	*ret_exit = EXIT_IO;
	if ((code = http_open(&p->http, &p->d, &p->door, p->listen_fd, err)))
		return code;
	p->listen_fd = -1;
	return write_port_file(p->d.config->port_file, p, err);
}

static void close_all(struct parts *p)
{
	struct daemon *d = &p->d;
	atomic_store(&d->draining, true);
	if (p->http)
		http_drain(p->http);
	conductor_stop(d->conductor);
	if (d->sched)
		sched_close(d->sched);
	if (p->http)
		http_close(p->http);
	if (d->cache)
		cache_close(d->cache);
	if (d->store)
		store_close(d->store);
	conductor_close(d->conductor);
	if (d->hub)
		hub_close(d->hub);
	evaluator_close(d->evaluator);
	if (d->pool)
		pool_close(d->pool);
	if (p->listen_fd >= 0)
		close(p->listen_fd);
	if (*p->address.path && p->http)
		unlink(p->address.path);
}

/* --- serving --- */

static void say_started(const struct parts *p)
{
	const struct config *c = p->d.config;
	char url[600];
	if (*p->address.path)
		snprintf(url, sizeof url, "unix:%s", p->address.path);
	else
		snprintf(url, sizeof url, "http://%s:%d%s/", p->address.host, p->port, c->path_prefix);
	log_info("started", "version=%s commit=%s url=%s data_dir=%s level=%s threads=%d workers=%d", latentd_version, latentd_commit, url,
		log_quote(c->data_dir), cpu_name(c->cpu), c->threads, c->workers);
	warn_of_readable_token(c->token_file);
	if (!*p->door.token && !*p->address.path)
		log_info("every user of this host has access", "remedy=%s",
			log_quote("--token-file FILE asks for a token; --listen unix:PATH lets only you in"));
	if (*p->door.token && !*p->address.path && isatty(STDOUT_FILENO))
		printf("open %s#token=%s\n", url, p->door.token);
	fflush(stdout);
}

/* Sleeps until SIGTERM or SIGINT; now and then has idle memory given back. */
static int serve(struct parts *p, const sigset_t *signals)
{
	const struct timespec sweep = {.tv_sec = SWEEP_S};
	for (;;) {
		int signal_number = sigtimedwait(signals, NULL, &sweep);
		if (signal_number == SIGTERM || signal_number == SIGINT)
			return signal_number;
		cache_sweep(p->d.cache);
	}
}

/* As if the signal had never been handled: no clean-up, and whoever waits sees what ended the process. */
static void die_of(int signal_number)
{
	sigset_t only;
	sigemptyset(&only);
	sigaddset(&only, signal_number);
	signal(signal_number, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &only, NULL);
	raise(signal_number);
}

/* A second signal while closing: at once. timeout(1) and some supervisors send one stop twice, to the process and to its group:
 * what comes with the first is still the first. */
static void *second_signal(void *arg)
{
	const sigset_t *signals = arg;
	int64_t begin = clock_ms();
	int signal_number;
	while (!sigwait(signals, &signal_number))
		if (clock_ms() - begin >= SAME_SIGNAL_MS)
			die_of(signal_number);
	return NULL;
}

static void drain(struct parts *p, sigset_t *signals)
{
	pthread_t thread;
	int64_t begin = clock_ms();
	bool watching = !pthread_create(&thread, NULL, second_signal, signals);
	close_all(p);
	if (watching) {
		pthread_cancel(thread); /* sigwait is a cancellation point */
		pthread_join(thread, NULL);
	}
	log_info("stopped", "ms=%lld", (long long)(clock_ms() - begin));
}

/* Large buffers (10,000 decoded images, a job's arena) go back to the system as soon as they are freed. Left to itself glibc
 * raises the size from which it maps them, and a thread's heap keeps what was freed beneath one small block. */
static void return_large_buffers(void)
{
	enum { LARGE = 1 << 20 };
	mallopt(M_MMAP_THRESHOLD, LARGE);
	mallopt(M_TRIM_THRESHOLD, LARGE);
}

static int run(const struct config *c)
{
	struct parts p = {.listen_fd = -1};
	struct err err = {0};
	sigset_t signals;
	int exit_code;
	/* blocked before the first thread starts: each inherits it, and only main takes them */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of its write */
	umask(077);
	log_setup(c->log_level, c->log_json);
	raise_descriptor_limit();
	return_large_buffers();
	p.d.config = c;
	p.d.started_ms = clock_ms();
	if (open_all(&p, &exit_code, &err)) {
		close_all(&p);
		return fail(exit_code, &err);
	}
	say_started(&p);
	log_info("stopping", "signal=%s", serve(&p, &signals) == SIGTERM ? "SIGTERM" : "SIGINT");
	drain(&p, &signals);
	return EXIT_OK;
}

static void help(void)
{
	printf("latentd %s: trains small generative models and serves them over HTTP.\n\nUsage: latentd [COMMAND] [FLAG]...\n\n", latentd_version);
	command_help();
	printf("\n");
	config_help();
}

int main(int argc, char **argv)
{
	struct config c;
	struct err err = {0};
	int exit_code;
	if (command_run(argc, argv, &exit_code))
		return exit_code;
	if (config_load(&c, argc, argv, &exit_code, &err))
		return fail(err.code == ERR_NO_MEMORY ? EXIT_ERROR : exit_code, &err);
	if (c.help)
		help();
	else if (c.version)
		printf("latentd %s (%s)\n", latentd_version, latentd_commit);
	else if (c.dump_routes)
		route_dump(stdout);
	else if (c.print_config)
		config_print(&c);
	else if (!c.check_config)
		exit_code = run(&c);
	config_free(&c);
	return exit_code;
}
