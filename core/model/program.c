#include "core/model/program.h"

bool program_waits(const struct model *m)
{
	return model_shared(m) > 0 || m->settles || m->carries;
}

/* Which pass through a net the row belongs to: the way back meets the masks of the way there. */
static int pass_of(const struct step_op *ops, int phase, int op)
{
	int at = op;
	if (ops[op].kind == OP_BACKWARD)
		while (at > 0 && !(ops[at].kind == OP_FORWARD && ops[at].net == ops[op].net))
			at--;
	return phase * OPS_MAX + at;
}

/* Net i's part of a step: as far as the loss wants it. */
static struct net_run step_run(const struct model *m, const struct block *b, int i)
{
	struct net_run run = model_net_run(m, b, i);
	run.logits = m->net[i].logits;
	return run;
}

/* One row; returns the layer that waits. */
static int run_op(
	const struct model *m, const struct step_op *op, const struct block *b, int layer, struct block_result *r)
{
	if (op->kind == OP_CALL || op->kind == OP_LOSS) {
		op->call(m, b, r);
		return NET_WHOLE;
	}
	if (op->kind == OP_SETTLE)
		return m->settles && b->training && layer == NET_WHOLE ? 0 : NET_WHOLE;
	struct net_run run = step_run(m, b, op->net);
	if (op->kind == OP_FORWARD)
		return net_forward_on(&m->net[op->net], &run, layer);
	if (op->flags & OP_FROZEN)
		run.dw = NULL;
	return net_backward_on(&m->net[op->net], &run, op->flags & OP_INPUT_GRAD, layer);
}

/* A block may be walked by itself, without a trainer to say which phases. */
static const struct step_op *ops_of(const struct model *m, int phase, const struct block *b)
{
	return (b->phases ? b->phases : m->family->phases)[phase].ops;
}

struct place program_on(
	const struct model *m, int phase, const struct block *b, struct place at, struct block_result *r)
{
	const struct step_op *ops = ops_of(m, phase, b);
	for (bool through = false; !through && ops[at.op].kind != OP_END;) {
		struct block here = *b;
		here.pass = pass_of(ops, phase, at.op);
		at.layer = run_op(m, &ops[at.op], &here, at.layer, r);
		if (at.layer != NET_WHOLE)
			return at;
		through = ops[at.op].kind == OP_LOSS && !b->training;
		at.op++;
	}
	return at;
}

void program_settle(
	const struct model *m, int phase, const struct block *blocks, int n, struct net_run *runs, struct place at)
{
	const struct step_op *op = &ops_of(m, phase, &blocks[0])[at.op];
	if (op->kind == OP_SETTLE) {
		op->settle(m, blocks, n);
		return;
	}
	for (int i = 0; i < n; i++) {
		runs[i] = step_run(m, &blocks[i], op->net);
		if (op->flags & OP_FROZEN)
			runs[i].dw = NULL;
	}
	net_settle(&m->net[op->net], runs, n, at.layer, op->kind == OP_BACKWARD);
}

void program_run(const struct model *m, const struct block *b, struct block_result *r)
{
	program_on(m, 0, b, program_begin, r);
}
