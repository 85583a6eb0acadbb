#include "core/model/train_params.h"

#include "core/nn/optim.h"

/* clang-format off */
const struct param early_stopping_params[] = {
	{"monitor", PARAM_ENUM, offsetof(struct early_stopping_params, monitor), "val_loss", 0, 0, "val_loss|train_loss",
		"training", NULL, "Which loss is watched; val_loss is train_loss where there is no validation.", 0},
	{"patience", PARAM_INT, offsetof(struct early_stopping_params, patience), "10", 1, 100000, NULL, "training", "epochs",
		"Epochs without improvement after which the run ends.", 0},
	{"min_delta", PARAM_REAL, offsetof(struct early_stopping_params, min_delta), "0", 0, 1e6, NULL, "training", NULL,
		"A loss counts as better when it is lower than the best by more than this. The best epoch itself is the one with the "
		"lowest loss, by however little.", 0},
	{"restore_best", PARAM_BOOL, offsetof(struct early_stopping_params, restore_best), "true", 0, 0, NULL, "training", NULL,
		"The finished model is the best epoch's; false: the last one's.", 0},
	{0},
};

const struct param prune_params[] = {
	{"method", PARAM_ENUM, offsetof(struct prune_params, method), "l1_unstructured", 0, 0,
		"l1_unstructured|global_l1_unstructured", "training", NULL,
		"Smallest absolute values go: of each layer by itself, or of all layers in one ranking. Biases stay.", 0},
	{"amount", PARAM_REAL, offsetof(struct prune_params, amount), "0.3", 0, 1, NULL, "training", NULL,
		"Share of the weights that goes. Schedule repeat: of those still there, each time; cubic: of all, in the end.", 0},
	{"start_epoch", PARAM_INT, offsetof(struct prune_params, start_epoch), "10", 1, 100000, NULL, "training", "epochs",
		"The first time: at the end of this epoch, before its validation.", 0},
	{"every", PARAM_INT, offsetof(struct prune_params, every), "10", 1, 100000, NULL, "training", "epochs",
		"Again after so many epochs, up to end_epoch.", 0},
	{"end_epoch", PARAM_INT, offsetof(struct prune_params, end_epoch), "0", 0, 100000, NULL, "training", "epochs",
		"No later than this; 0: once only, at start_epoch.", 0},
	{"schedule", PARAM_ENUM, offsetof(struct prune_params, schedule), "repeat", 0, 0, "repeat|cubic", "training", NULL,
		"repeat: the same share of what is left each time; cubic: fast at first, then ever less, up to `amount` at end_epoch (Zhu & "
		"Gupta 2017).", 0},
	{0},
};

const struct param retention_params[] = {
	{"keep_last", PARAM_INT, offsetof(struct retention_params, keep_last), "2", 2, 100000, NULL, "output", "checkpoints",
		"The newest so many stay.", 0},
	{"keep_best", PARAM_INT, offsetof(struct retention_params, keep_best), "1", 1, 100000, NULL, "output", "checkpoints",
		"The so many with the lowest loss stay.", 0},
	{"every", PARAM_INT, offsetof(struct retention_params, every), "1", 0, 100000, NULL, "output", "epochs",
		"Those of every so many epochs stay; 1: all of them, 0: none but the newest and the best.", 0},
	{0},
};
/* clang-format on */

static int check_prune(const struct prune_params *p, struct err *err)
{
	if (p->end_epoch && p->end_epoch < p->start_epoch)
		return err_field(err, ERR_INVALID, "#/params/prune/end_epoch",
			"must not be before start_epoch (%lld), got %lld", (long long)p->start_epoch, (long long)p->end_epoch);
	if (p->schedule == PRUNE_CUBIC && p->end_epoch <= p->start_epoch)
		return err_field(err, ERR_INVALID, "#/params/prune/end_epoch",
			"schedule cubic needs an end after start_epoch (%lld), got %lld", (long long)p->start_epoch,
			(long long)p->end_epoch);
	return OK;
}

int train_params_check(const struct train_params *p, struct err *err)
{
	if (p->optimizer == OPTIM_SGD && p->nesterov && p->momentum <= 0)
		return err_field(err, ERR_INVALID, "#/params/nesterov", "looks ahead by momentum, which is 0 here");
	return p->prune.on ? check_prune(&p->prune, err) : OK;
}
