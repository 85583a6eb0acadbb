/* spectral.h: spectral normalisation (Miyato et al. 2018): a layer works with W / sigma, sigma its largest singular value.
 *
 * Why: it bounds how steep a discriminator can be, so that its gradients stay of use to a generator.
 * Semantics: torch.nn.utils.spectral_norm. W is seen as [outputs][inputs * kernel^2]; buffers u and v hold the singular vectors
 * as far as the power iteration has come; sigma = u' W v; what is trained is W ("weight_orig").
 * Invariants: sums in double in one fixed order: the same bits on every level, and for every caller.
 * Not here: which layers (layer_spec.spectral_norm), and when the vectors move (core/model/step.c).
 */
#ifndef LATENTD_CORE_NN_SPECTRAL_H
#define LATENTD_CORE_NN_SPECTRAL_H

#include "core/nn/net.h"

/* w, buffers: the net's own blocks. Each function passes over the layers without spectral norm. */

/* u drawn from the normal distribution of `r`, then so many power iterations that sigma is right to a few per cent. */
void spectral_init(const struct layer *l, const real *w, real *buffers, struct rng r);
/* One power iteration: v = W' u / |W' u|, u = W v / |W v|. */
void spectral_iterate(const struct net *net, const real *w, real *buffers);
/* The whole block of parameters as forward and backward want it: a copy with W / sigma in place of W. */
void spectral_weights(const struct net *net, const real *w, const real *buffers, real *ret_w);
/* dw holds the gradient G of W / sigma; it becomes that of W: (G - <G, W / sigma> u v') / sigma. */
void spectral_grad(const struct net *net, const real *w, const real *buffers, real *dw);

#endif
