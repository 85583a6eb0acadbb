#include "api/pytorch.h"

#include "tests/api/check.h"

static char *printed(const char *kind, const char *assignments)
{
	const struct family *f = family_find(kind);
	struct model m;
	struct err err = {0};
	struct buf b = BUF_INIT;
	void *params = family_params(f, preset_find(f, "report"));
	if (param_set_all(f->params, params, assignments, &err) ||
		model_plan(&m, f, params, (struct map){1, 28, 28, 0}, 10, &err))
		fail_msg("%s", err.message);
	free(params);
	pytorch_print(&b, &m, "http://127.0.0.1:7117/v1/models/job_a/weights");
	model_free(&m);
	assert_false(b.failed);
	return buf_take(&b, NULL);
}

/* The report's net, as its authors would have written it. Only the remarks on shapes are left out here. */
static void report_net(void **state)
{
	static const char *const lines[] = {
		"        self.encoder = nn.Sequential(\n",
		"            nn.Conv2d(1, 8, 3, stride=2, padding=1),  # 0: [8, 14, 14]\n",
		"            nn.ReLU(),  # 1: [8, 14, 14]\n",
		"            nn.Conv2d(8, 16, 3, stride=2, padding=1),  # 2: [16, 7, 7]\n",
		"            nn.Conv2d(16, 32, 3, stride=2",
		"            nn.Flatten(),  # 6: [288]\n",
		"            nn.Linear(288, 64),  # 7: [64]\n",
		"            nn.Linear(64, 8),  # 9: [8]\n        )\n",
		"        self.decoder = nn.Sequential(\n            nn.Linear(8, 64),",
		"            nn.Linear(64, 288),",
		"            nn.Unflatten(1, (32, 3, 3)),  # 4: [32, 3, 3]\n",
		"            nn.ConvTranspose2d(32, 16, 3, stride=2",
		"            nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1),  # 7: [8, 14, 14]\n",
		"            nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1),  # 9: [1, 28, 28]\n",
		"            nn.Sigmoid(),  # 10: [1, 28, 28]\n        )\n",
		"        x = self.encoder(x)\n        x = self.decoder(x)\n        return x\n",
		"IMAGE = (1, 28, 28)",
		"curl -o weights.safetensors http://127.0.0.1:7117/v1/models/job_a/weights\n",
	};
	char *text = printed("ae", "latent_dim=8");
	const char *from = text;
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		/* the net's lines in order, the others anywhere */
		const char *found = strstr(i < 16 ? from : text, lines[i]);
		if (!found)
			fail_msg("missing, or out of order: %s\n%s", lines[i], text);
		from = found;
	}
	assert_int_equal(strncmp(text, "#!/usr/bin/env python3\n\"\"\"", 26), 0);
	free(text);
}

/* A generator has noise to look at, not images; its opponent is there to be read, with the norm that PyTorch calls so. */
static void adversaries(void **state)
{
	static const char *const lines[] = {"            nn.Linear(100, 6272, bias=False),  # 0: [6272]\n",
		"nn.BatchNorm1d(6272)", "            nn.Tanh(),  # 11: [1, 28, 28]\n",
		"            nn.utils.spectral_norm(nn.Conv2d(1, 64, 4, stride=2, padding=1)),  # 0: [64, 14, 14]\n",
		"nn.utils.spectral_norm(nn.Linear(6272, 1))",
		"def forward(self, z):\n        return (self.generator(z) + 1) / 2", "LATENT_DIM = 100", "z.npy out.npy"};
	char *text = printed("gan", "spectral_norm=true discriminator_norm=none");
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!strstr(text, lines[i]))
			fail_msg("missing: %s\n%s", lines[i], text);
	assert_null(strstr(text, "images.npy"));
	free(text);
}

/* No printer of a layer is missing: whatever net is planned, every line of it is there. */
static void other_nets(void **state)
{
	static const struct row {
		const char *params, *line;
	} rows[] = {
		{"channels=- hidden=-", "nn.Linear(784, 8)"},
		{"activation=silu", "nn.SiLU()"},
		{"activation=tanh", "nn.Tanh()"},
		{"activation=leaky_relu", "nn.LeakyReLU(0.01)"},
		{"channels=4 kernel=5 stride=1 padding=2", "nn.Conv2d(1, 4, 5, padding=2)"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *text = printed("ae", rows[i].params);
		if (!strstr(text, rows[i].line))
			fail_msg("%s\nlacks %s", text, rows[i].line);
		free(text);
	}
}

/* Of a distribution per unit, the means go on. */
static void variational_net(void **state)
{
	static const char *const lines[] = {
		"            nn.Conv2d(8, 16, 4, stride=2, padding=1),  # 2: [16, 7, 7]\n",
		"            nn.Linear(784, 10),  # 5: [10]\n        )\n",
		"            nn.Linear(5, 784),",
		"        x = self.encoder(x)\n        x = x[:, :5]  # the means",
		"\n        x = self.decoder(x)\n        return x\n",
	};
	char *text = printed("vae", "");
	const char *from = text;
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		from = strstr(from, lines[i]);
		if (!from)
			fail_msg("missing, or out of order: %s\n%s", lines[i], text);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_net),
		cmocka_unit_test(adversaries),
		cmocka_unit_test(other_nets),
		cmocka_unit_test(variational_net),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
