/* speed.h: how fast a training is likely to be on this machine before one has run here.
 *
 * Why: who is about to start a first run wants to know whether it takes seconds or hours.
 * Threads: any; measured once, at the first question, in about two milliseconds.
 * Not here: what a kind really reached, which its worker knows from then on (sched.c).
 */
#ifndef LATENTD_SERVER_SPEED_H
#define LATENTD_SERVER_SPEED_H

#include "core/kern/kern.h"

/* FLOPs per second that a training step of `threads` threads may reach: right within a factor of two or three. */
double speed_guess(const struct kern *kern, int threads);

#endif
