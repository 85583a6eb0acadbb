/* command.h: what latentd does instead of serving: `latentd recover`, `latentd backup`. */
#ifndef LATENTD_SERVER_COMMAND_H
#define LATENTD_SERVER_COMMAND_H

#include <stdbool.h>

/* argv[1] is a command's name: it is run with the flags that follow, and *ret_exit is the code to leave with. */
bool command_run(int argc, char **argv, int *ret_exit);
/* A line for each, for --help. */
void command_help(void);

#endif
