#include "core/lab/projection.h"

#include "core/lab/pca.h"

/* clang-format off */
static const struct param params[] = {
	{"method", PARAM_ENUM, offsetof(struct projection_params, method), "pca", 0, 0, "pca|tsne", "map", NULL,
		"pca: the directions along which the points vary most, exact and quick. tsne: neighbours stay neighbours, distances between groups "
		"mean little.", 0},
	{"space", PARAM_ENUM, offsetof(struct projection_params, space), "codes", 0, 0, "codes|pixels", "data", NULL,
		"What is laid out: the codes that the model of 'from' gives the images, or the images' pixels in 0 … 1.", 0},
	{"split", PARAM_ENUM, offsetof(struct projection_params, split), "test", 0, 0, "test|train", "data", NULL,
		"Which images of the data set.", 0},
	{"n", PARAM_INT, offsetof(struct projection_params, n), "0", 0, 100000000, NULL, "data", "images",
		"So many of them, evenly apart; 0: all. The map is fitted on these and shows these.", 0},
	{"components", PARAM_INT, offsetof(struct projection_params, components), "2", 1, PROJECTION_COMPONENTS_MAX, NULL, "map", NULL,
		"Dimensions of the map: columns x, y, z, c4, …; 2 for tsne.", 0},
	{"whiten", PARAM_BOOL, offsetof(struct projection_params, whiten), "false", 0, 0, NULL, "map", NULL,
		"PCA: each component is scaled to variance 1.", 0},
	{"perplexity", PARAM_REAL, offsetof(struct projection_params, perplexity), "30", 1, 1000, NULL, "map", NULL,
		"t-SNE: about how many neighbours a point heeds; less than there are points.", 0},
	{"iterations", PARAM_INT, offsetof(struct projection_params, iterations), "750", 1, 100000, NULL, "map", "iterations",
		"t-SNE: steps of gradient descent in all; a third of them, at most 250, are exaggerated.", 0},
	{"learning_rate", PARAM_REAL, offsetof(struct projection_params, learning_rate), "0", 0, 1e7, NULL, "map", NULL,
		"t-SNE: 0: points / exaggeration, as openTSNE has it.", 0},
	{"early_exaggeration", PARAM_REAL, offsetof(struct projection_params, early_exaggeration), "12", 1, 1000, NULL, "map", NULL,
		"t-SNE: how much stronger neighbours attract each other during the first iterations.", 0},
	{"initial_dims", PARAM_INT, offsetof(struct projection_params, initial_dims), "50", 0, PROJECTION_COMPONENTS_MAX, NULL, "map", NULL,
		"Points of more values are reduced to so many by PCA: for t-SNE to begin with, and for a map's quality to be measured against; "
		"0: never.", 0},
	{0},
};
/* clang-format on */

static const struct preset presets[] = {
	{"pca", "principal components, with scikit-learn's signs: exact, in a second", ""},
	{"tsne", "t-SNE with openTSNE's defaults, begun at the principal components", "method=tsne"},
	{0},
};

static const struct series series[] = {
	{.name = "kl_divergence",
		.help =
			"What the map loses of the points' neighbourhoods, at each iteration of t-SNE: of the true ones, while they are exaggerated, "
			"too. It falls faster once they no longer are.",
		.formula = "sum over i, j of p_ij log(p_ij / q_ij)",
		.unit = "nats",
		.per_step = true,
		.headline = true},
	{0},
};

static bool needs_codes(const void *p)
{
	return ((const struct projection_params *)p)->space == PROJECTION_CODES;
}

static const char *const results[] = {"projection", NULL};

const struct family family_projection = {
	.name = "projection",
	.blurb = "a map of the codes of a finished model, or of pixels: PCA, or t-SNE that you can watch",
	.params = params,
	.params_size = sizeof(struct projection_params),
	.presets = presets,
	.series = series,
	.results = results,
	.needs_from = needs_codes,
	.needs_none = "\"space\":\"pixels\" needs none",
};

/* --- what they mean together ---------------------------------------------------------------------------------------------- */

enum split projection_split(const struct projection_params *p)
{
	return p->split ? SPLIT_TRAIN : SPLIT_TEST;
}

size_t projection_points(const struct projection_params *p, size_t images)
{
	return p->n ? (size_t)p->n : images;
}

size_t projection_index(size_t i, size_t points, size_t images)
{
	return i * images / points;
}

/* So many directions there are: centred points span one dimension less than there are of them. */
static size_t rank_of(size_t points, size_t d)
{
	return points - 1 < d ? points - 1 : d;
}

size_t projection_width(const struct projection_params *p, size_t points, size_t d)
{
	if (!p->initial_dims || d <= (size_t)p->initial_dims)
		return d;
	return rank_of(points, (size_t)p->initial_dims);
}

static int check_pca(const struct projection_params *p, size_t points, size_t d, struct err *err)
{
	const size_t rank = rank_of(points, d), k = (size_t)p->components;
	if (k > rank)
		return err_field(err, ERR_INVALID, "#/params/components",
			"must be at most %zu, which %zu points of %zu values span; got %zu", rank, points, d, k);
	return OK;
}

static int check_tsne(const struct projection_params *p, size_t points, struct err *err)
{
	if (p->components != 2)
		return err_field(
			err, ERR_INVALID, "#/params/components", "must be 2 with method tsne, got %lld", (long long)p->components);
	if (p->perplexity >= (double)points)
		return err_field(err, ERR_INVALID, "#/params/perplexity",
			"must be less than %zu, so many points there are; got %.9g", points, p->perplexity);
	return OK;
}

int projection_check(const struct projection_params *p, size_t images, size_t d, struct err *err)
{
	enum { POINTS_MIN = 4 };
	const size_t points = projection_points(p, images);
	if (points > images)
		return err_field(err, ERR_INVALID, "#/params/n",
			"must be 0 (all) or %d..%zu, so many images the split has; got %zu", POINTS_MIN, images, points);
	if (points < POINTS_MIN)
		return err_field(err, ERR_INVALID, "#/params/n", "must be 0 (all) or at least %d, got %zu", POINTS_MIN, points);
	if ((p->method == PROJECTION_PCA || projection_width(p, points, d) < d) && points > PCA_SIDE_MAX &&
		d > PCA_SIDE_MAX)
		return err_field(err, ERR_INVALID, "#/params/n", "must be at most %d for PCA of %zu values, got %zu",
			PCA_SIDE_MAX, d, points);
	return p->method == PROJECTION_TSNE ? check_tsne(p, points, err) : check_pca(p, points, d, err);
}

int64_t projection_steps(const struct projection_params *p)
{
	return p->method == PROJECTION_TSNE ? p->iterations : 1;
}

int64_t projection_epoch_steps(const struct projection_params *p)
{
	return p->method == PROJECTION_TSNE ? PROJECTION_EPOCH : 1;
}
