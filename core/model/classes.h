/* classes.h: what kinds that tell classes apart share: the loss, its curves, its parameters.
 *
 * Use: a family's params struct has a `struct classes_params classes`, its table CLASSES_PARAM_ROWS, its series
 * CLASSES_SERIES_ROWS; its plan calls classes_check, its last row before the way back is a call of classes_loss.
 */
#ifndef LATENTD_CORE_MODEL_CLASSES_H
#define LATENTD_CORE_MODEL_CLASSES_H

#include "core/model/train.h"

struct classes_params {
	double label_smoothing, gce_q;
};

/* clang-format off */
#define CLASSES_PARAM_ROWS(S, SMOOTHING) \
	{"label_smoothing", PARAM_REAL, offsetof(S, classes.label_smoothing), SMOOTHING, 0, 0.99, NULL, "training", NULL, \
		"Share of each label that is spread evenly over all classes, so that the net need not be certain; in train_loss only. " \
		"0 is off.", 0}, \
	{"gce_q", PARAM_REAL, offsetof(S, classes.gce_q), "0", 0, 1, NULL, "training", NULL, \
		"Generalised cross entropy (Zhang and Sabuncu 2018): the loss is (1 - p^q) / q, which gives up images it cannot get right, " \
		"for more right ones elsewhere: 0.7 is usual, and helps a net too small for all of them. 0 is cross entropy, -log p.", 0, .fork = PARAM_FORK_LOSS}

#define CLASSES_SERIES_ROWS \
	{"train_loss", \
		"How surprised the net is by the labels of each training batch; with label smoothing, also by the classes that are " \
		"none. Augmentation and dropout make it larger than it would be on plain images.", \
		"mean(-log p(label)), smoothed by label_smoothing; with gce_q mean((1 - p(label)^q) / q)", "nats per image", {{2.302585093, "chance, ten classes"}}, true, .headline = true}, \
	{"train_accuracy", "Share of each training batch whose likeliest class is its label.", "mean(argmax p = label)", "share", \
		{{0.1, "chance, ten classes"}}, true}, \
	{"val_loss", \
		"The same on images held out from training, without smoothing, augmentation and dropout. Rising while train_loss " \
		"falls: the net learns its training images by heart.", \
		"mean(-log p(label)); with gce_q mean((1 - p(label)^q) / q)", "nats per image", {{2.302585093, "chance, ten classes"}}, false, .headline = true}, \
	{"val_accuracy", "Share of the held-out images whose likeliest class is their label.", "mean(argmax p = label)", "share", \
		{{0.1, "chance, ten classes"}}, false}
/* clang-format on */

/* ERR_INVALID for a data set with fewer than two classes, and for labels both smoothed and generalised. */
int classes_check(const struct model *m, const struct classes_params *p, struct err *err);
/* Part 0: cross entropy of net's outputs with the block's labels, part 1: how many it has right; in training with smoothing, and
 * the slope at the net's output. */
void classes_loss(
	const struct model *m, const struct block *b, int net, const struct classes_params *p, struct block_result *r);

#endif
