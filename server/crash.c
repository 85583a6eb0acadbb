#include "server/crash.h"

#include "core/base/pool.h"
#include "server/log.h"
#include "server/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	int number;
	const char *name;
} signals[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}, {SIGABRT, "SIGABRT"}};
enum { SIGNALS = sizeof signals / sizeof *signals, MARK_MAX = 17, LINE_MAX = 128, MARKS_MAX = 65536 };

/* What the handler reads is written before its thread could crash over it. */
static struct {
	atomic_bool taken;
	char job_id[JOB_ID_SIZE];
} jobs[CRASH_JOBS_MAX];
static const char requests[] = "";
static char mark[MARK_MAX]; /* of this daemon: no mark is counted twice */
static int marks_fd = -1;

/* --- the handler: nothing but calls that are allowed in one --- */

static size_t put(char *line, size_t at, const char *text)
{
	while (*text && at < LINE_MAX - 1)
		line[at++] = *text++;
	return at;
}

static void write_mark(const char *job_id, const char *signal_name)
{
	char line[LINE_MAX];
	size_t n = put(line, 0, mark);
	n = put(line, n, " ");
	n = put(line, n, job_id);
	n = put(line, n, " ");
	n = put(line, n, signal_name);
	line[n++] = '\n';
	ssize_t written = write(marks_fd, line, n);
	(void)written; /* a full disk: this crash is not counted */
}

static const char *name_of(int number)
{
	for (int i = 0; i < SIGNALS; i++)
		if (signals[i].number == number)
			return signals[i].name;
	return "a signal";
}

static void on_crash(int number, siginfo_t *info, void *context)
{
	const char *job_id = pool_owner;
	(void)context;
	bool raised_here = info->si_code > 0 || (info->si_code == SI_TKILL && info->si_pid == getpid());
	if (raised_here && job_id && *job_id)
		write_mark(job_id, name_of(number));
	for (int i = 0; raised_here && !job_id && i < CRASH_JOBS_MAX; i++)
		if (atomic_load(&jobs[i].taken))
			write_mark(jobs[i].job_id, name_of(number));
	if (raised_here)
		fsync(marks_fd);
	if (info->si_code <= 0) /* the instruction that faulted is repeated by itself; what was sent is sent again */
		raise(number);
}

/* --- who works for whom --- */

void crash_mask(sigset_t *ret)
{
	sigfillset(ret);
	for (int i = 0; i < SIGNALS; i++)
		sigdelset(ret, signals[i].number);
}

/* A stack that ran over is a crash, too, and needs another one to be told on. A thread that had one (a sanitizer's) has it back
 * afterwards: whoever gave it frees it. */
static _Thread_local stack_t stack_before;

static void give_stack(void)
{
	enum { STACK_BYTES = 16384 };
	static _Thread_local char bytes[STACK_BYTES];
	sigaltstack(&(stack_t){.ss_sp = bytes, .ss_size = sizeof bytes}, &stack_before);
}

void crash_job_begin(const char *job_id)
{
	give_stack();
	for (int i = 0; i < CRASH_JOBS_MAX; i++) {
		bool taken = false;
		if (!atomic_compare_exchange_strong(&jobs[i].taken, &taken, true))
			continue;
		snprintf(jobs[i].job_id, sizeof jobs[i].job_id, "%s", job_id);
		pool_owner = jobs[i].job_id;
		return;
	}
}

void crash_job_end(void)
{
	for (int i = 0; i < CRASH_JOBS_MAX; i++)
		if (pool_owner == jobs[i].job_id)
			atomic_store(&jobs[i].taken, false);
	pool_owner = NULL;
	sigaltstack(&stack_before, NULL);
}

void crash_serves_requests(void)
{
	pool_owner = requests;
}

/* --- at the start --- */

/* "MARK JOB SIGNAL" */
static int count(struct store *store, char *line, struct err *err)
{
	char *rest, *which = strtok_r(line, " ", &rest), *job_id = strtok_r(NULL, " ", &rest);
	const char *signal_name = strtok_r(NULL, " ", &rest);
	if (!signal_name) /* the disk was full */
		return OK;
	log_warn("the daemon crashed", "job=%s signal=%s", job_id, signal_name);
	return store_crashed(store, job_id, which, signal_name, err);
}

static int count_all(struct store *store, const char *path, struct err *err)
{
	char *text = calloc(1, MARKS_MAX), *rest;
	if (!text)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	ssize_t n = pread(marks_fd, text, MARKS_MAX - 1, 0);
	int code = n < 0 ? err_errno(err, errno, "reading %s", path) : OK;
	for (char *line = strtok_r(text, "\n", &rest); line && !code; line = strtok_r(NULL, "\n", &rest))
		code = count(store, line, err);
	if (!code && n > 0 && ftruncate(marks_fd, 0))
		code = err_errno(err, errno, "emptying %s", path);
	free(text);
	return code;
}

static void make_mark(void)
{
	unsigned long long random = 0;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		random = (unsigned long long)getpid();
	snprintf(mark, sizeof mark, "%016llx", random);
}

/* Where somebody handles them already (a sanitizer) they are theirs. */
static void watch(void)
{
	struct sigaction act = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_ONSTACK}, before;
	sigemptyset(&act.sa_mask);
	for (int i = 0; i < SIGNALS; i++)
		if (!sigaction(signals[i].number, NULL, &before) && before.sa_handler == SIG_DFL)
			sigaction(signals[i].number, &act, NULL);
}

int crash_open(struct store *store, const char *data_dir, struct err *err)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/crashes", data_dir);
	marks_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (marks_fd < 0)
		return err_errno(err, errno, "opening %s", path);
	make_mark();
	int code = count_all(store, path, err);
	if (!code)
		watch();
	return code;
}
