/* References of the losses (core/kern/kern.h). */
#include "core/kern/ref.h"

#include <math.h>

static double value_of(enum loss loss, double y, double t)
{
	double size = fabs(y - t);
	switch (loss) {
	case LOSS_MSE:
		return size * size;
	case LOSS_L1:
		return size;
	case LOSS_SMOOTH_L1:
		return size < 1 ? size * size / 2 : size - 0.5;
	default:
		return fmax(y, 0) - y * t + log1p(exp(-fabs(y)));
	}
}

static double slope_of(enum loss loss, double y, double t)
{
	double d = y - t;
	switch (loss) {
	case LOSS_MSE:
		return 2 * d;
	case LOSS_L1:
		return (d > 0) - (d < 0);
	case LOSS_SMOOTH_L1:
		return fmin(fmax(d, -1), 1);
	default:
		return 1 / (1 + exp(-y)) - t;
	}
}

double ref_loss(enum loss loss, real *dy, const struct map *dy_map, const real *y, const struct map *y_map,
	const struct loss_target *target, real scale, int lanes)
{
	double sum = 0;
	for (int i = 0; i < map_features(y_map); i++)
		for (int l = 0; l < LANES; l++) {
			double value = (double)y[map_feature(y_map, i) + (size_t)l];
			double t = (double)(target->t ? target->t[map_feature(target->map, i) + (size_t)l] : target->value);
			sum += l < lanes ? value_of(loss, value, t) : 0;
			if (dy)
				dy[map_feature(dy_map, i) + (size_t)l] =
					l < lanes ? (real)(slope_of(loss, value, t) * (double)scale) : 0;
		}
	return sum;
}

/* Of one lane; dy like y. */
static double xent_lane(real *dy, const real *y, int classes, int label, const struct label_loss *how, double scale)
{
	const double e = (double)how->smoothing, q = (double)how->q;
	double largest = -INFINITY, exps = 0, loss = 0, slope[256];
	for (int k = 0; k < classes; k++)
		largest = fmax(largest, (double)y[k * LANES]);
	for (int k = 0; k < classes; k++)
		exps += exp((double)y[k * LANES] - largest);
	for (int k = 0; k < classes; k++) {
		double want = (k == label ? 1 - e : 0) + e / classes, log_p = (double)y[k * LANES] - largest - log(exps);
		loss -= want * log_p;
		slope[k] = (exp(log_p) - want) * scale;
	}
	for (int k = 0; dy && k < classes; k++)
		dy[k * LANES] = (real)(slope[k] * exp(-q * loss));
	return q > 0 ? (1 - exp(-q * loss)) / q : loss;
}

double ref_cross_entropy(real *dy, const real *y, int classes, const uint8_t *labels, const struct label_loss *how,
	real scale, int lanes, int *ret_correct)
{
	double sum = 0;
	*ret_correct = 0;
	for (int l = 0; l < LANES; l++) {
		if (l >= lanes) {
			for (int k = 0; dy && k < classes; k++)
				dy[k * LANES + l] = 0;
			continue;
		}
		int best = 0;
		for (int k = 0; k < classes; k++)
			best = y[k * LANES + l] > y[best * LANES + l] ? k : best;
		*ret_correct += best == labels[l];
		/* dy may be y: lanes do not meet, and a lane's logits are copied first */
		real own[256 * LANES];
		for (int k = 0; k < classes; k++)
			own[k * LANES] = y[k * LANES + l];
		sum += xent_lane(dy ? dy + l : NULL, own, classes, labels[l], how, (double)scale);
	}
	return sum;
}

/* --- the latent code of a variational autoencoder --- */

void ref_latent_fwd(real *z, real *kl, const real *h, const real *eps, int n, int lanes)
{
	for (int j = 0; j < n; j++) {
		double sum = 0;
		for (int l = 0; l < LANES; l++) {
			double mu = (double)h[j * LANES + l], logvar = fmin(fmax((double)h[(n + j) * LANES + l], -10), 10);
			z[j * LANES + l] = (real)(mu + exp(logvar / 2) * (double)eps[j * LANES + l]);
			sum += l < lanes ? -0.5 * (1 + logvar - mu * mu - exp(logvar)) : 0;
		}
		if (kl)
			kl[j] = (real)sum;
	}
}

void ref_latent_bwd(real *dh, const real *dz, const real *h, const real *eps, int n, const real *kl_scale, int lanes)
{
	for (int i = 0; i < n * LANES; i++) {
		const double s = (double)kl_scale[i / LANES];
		double logvar = (double)h[n * LANES + i], dmu = (double)dz[i] + s * (double)h[i];
		double dlogvar = (double)dz[i] * (double)eps[i] * exp(logvar / 2) / 2 + s * (exp(logvar) - 1) / 2;
		bool used = i % LANES < lanes;
		dh[i] = used ? (real)dmu : 0;
		dh[n * LANES + i] = used && fabs(logvar) <= 10 ? (real)dlogvar : 0;
	}
}
