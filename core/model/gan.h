/* gan.h: what the files of the adversarial kind share: gan.c (parameters, curves, signs), gan_nets.c, gan_step.c.
 *
 * Not here: formulas (gan.c).
 */
#ifndef LATENTD_CORE_MODEL_GAN_H
#define LATENTD_CORE_MODEL_GAN_H

#include "core/model/mirror.h"
#include "core/model/train.h"

enum { GENERATOR, DISCRIMINATOR };
enum { IMAGE_CHANNELS_MAX = 4 };

/* Sums of a block: the parts that the series tell, in their order. */
enum { PART_D, PART_D_REAL, PART_D_FAKE, PART_REAL, PART_FAKE, PART_ACCURACY, PART_G, PART_R1 };

enum gan_loss { NON_SATURATING, SATURATING, HINGE };

struct gan_params {
	struct train_params train;
	int64_t latent_dim, n_critic, r1_every, judge_samples;
	struct param_ints channels, discriminator_channels;
	int norm, discriminator_norm; /* index in MIRROR_NORMS */
	int gan_loss, on_collapse;
	bool spectral_norm;
	double lr_d, lr_g, label_smoothing, instance_noise, r1;
};

/* Adds both nets, and says what a block needs beside them. */
int gan_plan(struct model *m, struct err *err);
/* The step of this number (from 1) works the penalty out. */
bool gan_r1_steps(const struct model *m, int64_t step);
extern const struct train_phase gan_phases[];

#endif
