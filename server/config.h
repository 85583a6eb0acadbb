/* config.h: the daemon's settings: one row each; flag > environment > config file > default.
 *
 * Owner: config_free. Rows also print --help and --print-config and name the environment variables (LATENTD_<FLAG>).
 */
#ifndef LATENTD_SERVER_CONFIG_H
#define LATENTD_SERVER_CONFIG_H

#include "core/base/err.h"
#include "core/kern/kern.h"
#include "server/log.h"

#include <stdbool.h>

/* sysexits, as the contract lists them */
enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_USAGE = 64, EXIT_ADDRESS_IN_USE = 69, EXIT_DIR_IN_USE = 73, EXIT_IO = 74, EXIT_CONFIG = 78 };

enum { CONFIG_DIRS_MAX = 16 };

struct config {
	char file[4096]; /* --config; "" = none */
	char listen[256]; /* "127.0.0.1:7117", "[::1]:0", "unix:/run/latentd.sock" */
	char port_file[4096], data_dir[4096], token_file[4096], web_dir[4096], path_prefix[128];
	char allowed_hosts[1024]; /* comma list */
	const char *dataset_dirs[CONFIG_DIRS_MAX]; /* where to look, in order; the last one is <data_dir>/datasets */
	int ndataset_dirs;
	int workers, threads;
	enum log_level log_level;
	bool log_json;
	enum cpu_level cpu; /* LATENTD_CPU, else the best */
	/* what to do instead of serving */
	bool help, version, check_config, print_config, dump_routes;
};

/* Returns OK, or ERR_INVALID with the message to print; *ret_exit is the code to leave with. */
int config_load(struct config *ret, int argc, char **argv, int *ret_exit, struct err *err);
/* The flags, for --help. */
void config_help(void);
void config_print(const struct config *c);
void config_free(struct config *c);

#endif
