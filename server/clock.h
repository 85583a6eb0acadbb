/* clock.h: the only clock. Wall time is for people to read; every delay and timeout uses the monotonic one. */
#ifndef LATENTD_SERVER_CLOCK_H
#define LATENTD_SERVER_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void); /* Unix milliseconds */
int64_t clock_ms(void);      /* monotonic */
int64_t clock_us(void);      /* monotonic */

#endif
