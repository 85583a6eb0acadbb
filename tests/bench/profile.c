#include "tests/bench/profile.h"

#include "core/base/cpu.h"
#include "core/model/trainer.h"
#include "core/nn/layer.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One way through a layer. */
typedef void pass_fn(const struct layer *l, const struct net_run *run);

/* Best of a few rounds, in us per block; the blocks of a batch take turns, as they do in a step. */
static double microseconds(pass_fn *fn, const struct layer *l, const struct net_run *runs, int n)
{
	double best = 1e9;
	long calls = n;
	for (int round = 0; round < 5;) {
		double start = bench_cpu_s();
		for (long i = 0; i < calls; i++)
			fn(l, &runs[i % n]);
		double took = bench_cpu_s() - start;
		if (took < 0.005) {
			calls *= 2;
			continue;
		}
		best = took / (double)calls < best ? took / (double)calls : best;
		round++;
	}
	return best * 1e6;
}

static void say(const char *what, double us, double flops, double peak_gflops)
{
	printf(",\"%s_us\":%.2f", what, us);
	if (flops > 0 && peak_gflops > 0)
		printf(",\"%s_share\":%.3f", what, flops / us * 1e-3 / peak_gflops);
}

static void profile_layer(const struct net *net, const struct layer *l, const struct net_run *runs, int n, double peak)
{
	const struct layer_op *op = l->spec.op;
	double flops = op->flops ? op->flops(l) * LANES : 0;
	printf("{\"layer\":\"%s.%d %s\"", net->name, l->index, op->name);
	say("fwd", microseconds(op->fwd, l, runs, n), flops, peak);
	if (op->grad)
		say("grad", microseconds(op->grad, l, runs, n), flops, peak);
	say("bwd", microseconds(op->bwd, l, runs, n), flops, peak);
	if (op->barrier) {
		say("fwd_gather", microseconds(op->barrier->fwd_gather, l, runs, n), 0, 0);
		say("bwd_gather", microseconds(op->barrier->bwd_gather, l, runs, n), 0, 0);
	}
	printf("}\n");
}

/* Values and gradients become what the timing leaves: it is the work that is measured, and it depends on no value. */
static void fill_spaces(struct trainer *t)
{
	size_t reals = model_workspace(t->m);
	for (int i = 0; i < t->spaces; i++)
		for (size_t k = 0; k < reals; k++)
			t->ws[i][k] = (real)((double)(k * 37 % 101) - 50) / 100000;
}

void profile_layers(struct trainer *t, double peak_gflops)
{
	const struct model *m = t->m;
	int n = program_waits(m) ? (int)(t->batch / LANES) : 1;
	struct net_run *runs = calloc((size_t)(n ? n : 1), sizeof *runs);
	if (!runs || !n)
		return;
	fill_spaces(t);
	for (int i = 0; i < m->nets; i++)
		for (int k = 0; k < m->net[i].n; k++) {
			for (int b = 0; b < n; b++)
				runs[b] = model_net_run(m, &t->block[b], i);
			profile_layer(&m->net[i], &m->net[i].layer[k], runs, n, peak_gflops);
		}
	free(runs);
}
