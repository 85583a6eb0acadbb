/* watch.h: looks at a run: whether the signs of its kind show (struct sign), for how long, and what has been done about it.
 *
 * Why: a run that is lost should say so long before somebody looks at its pictures, and may help itself.
 * Invariants: all of it is state of the run (watch_state): what is told and done after a kill is what would have been.
 * Not here: who judges samples (train.h, struct judge_hook), and going back to earlier weights (loop.c).
 */
#ifndef LATENTD_CORE_MODEL_WATCH_H
#define LATENTD_CORE_MODEL_WATCH_H

#include "core/model/train.h"

enum { SIGNS_MAX = 8, ROLL_BACKS_MAX = 3 };

struct watch {
	double sum[RESULT_PARTS]; /* over the images of the steps since the look before */
	int64_t images, steps;    /* of those */
	int64_t shown[SIGNS_MAX]; /* steps for which each sign has shown; -1: it does not */
	int64_t active[2];        /* active units at the ends of the last epochs, newest first; -1: not known */
	double most_share;        /* that the rarest class had at a look */
	double grad_norm;         /* of the last phase, when it last ran */
	int64_t lost;             /* a sign of collapse was told and nothing has been done yet */
	int64_t roll_backs;       /* so far */
	int64_t restarts;         /* of them: those to the beginning */
	double penalty_scale;     /* what they have made of penalties */
	int64_t origin;           /* steps of the optimiser count from this one on: weights began anew there */
	int64_t sound_epoch;      /* the best one (by `sound_value`) at whose end no sign of collapse showed; 0: none yet */
	double sound_value;
};

void watch_init(struct watch *w);
void watch_state(struct watch *w, struct state *s);
/* A step on so many images is done. */
void watch_step(struct watch *w, const double part[RESULT_PARTS], double images);
/* What the steps since the look before were like, a mean over their images. */
void watch_mean(const struct watch *w, double ret_mean[RESULT_PARTS]);
/* Looks for sign i; true, with an alert, when it has shown for long enough and was not told yet. */
bool watch_sign(struct watch *w, const struct model *m, int i, const struct view *v, struct alert *ret_alert);
/* After the signs: the window begins anew. At an epoch's end `value` is what the epoch is judged by. */
void watch_end(struct watch *w, const struct model *m, const struct view *v, double value);
/* What a roll-back changes beside the weights: nothing shows, penalties are twice what they were. */
void watch_rolled_back(struct watch *w);
/* The same, to the beginning: the weights are new from `step` on. */
void watch_started_over(struct watch *w, int64_t step);
/* What roll-backs have made of the learning rate, and, where a net leads, of that one's beside the others'. */
double watch_lr_scale(const struct watch *w);
double watch_leader_scale(const struct watch *w);

#endif
