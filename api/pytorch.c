#include "api/pytorch.h"

#include "core/nn/layer.h"

/* The parts of the script that no model changes. */
static const char reader[] =
	"import json\n"
	"import struct\n"
	"import sys\n"
	"\n"
	"import numpy as np\n"
	"import torch\n"
	"from torch import nn\n"
	"\n"
	"\n"
	"def read_safetensors(path):\n"
	"    \"\"\"8 bytes of header length, a JSON header, raw little-endian tensors: {name: tensor}.\"\"\"\n"
	"    dtypes = {\"F32\": np.float32, \"F64\": np.float64, \"I64\": np.int64, \"U8\": np.uint8}\n"
	"    with open(path, \"rb\") as file:\n"
	"        (length,) = struct.unpack(\"<Q\", file.read(8))\n"
	"        header = json.loads(file.read(length))\n"
	"        data = file.read()\n"
	"    tensors = {}\n"
	"    for name, entry in header.items():\n"
	"        if name != \"__metadata__\":\n"
	"            begin, end = entry[\"data_offsets\"]\n"
	"            array = np.frombuffer(data[begin:end], dtypes[entry[\"dtype\"]]).reshape(entry[\"shape\"])\n"
	"            tensors[name] = torch.from_numpy(array.copy())\n"
	"    return tensors\n";

static const char loader[] =
	"\n"
	"\n"
	"def load(path):\n"
	"    \"\"\"The model with the weights of a safetensors file, ready to use.\"\"\"\n"
	"    model = Model()\n"
	"    names = model.state_dict()\n"
	"    model.load_state_dict({name: tensor for name, tensor in read_safetensors(path).items() if name in names})\n"
	"    return model.eval()\n"
	"\n"
	"\n"
	"def main():\n";

/* What main begins with: a model that looks at images, and one that paints them from noise. */
static const char images_in[] =
	"    if len(sys.argv) not in (3, 4):\n"
	"        sys.exit(f\"usage: {sys.argv[0]} weights.safetensors images.npy [out.npy]\")\n"
	"    images = np.load(sys.argv[2])\n"
	"    scale = 255 if images.dtype == np.uint8 else 1\n"
	"    x = torch.from_numpy(images.astype(np.float32) / np.float32(scale)).reshape(-1, *IMAGE)\n"
	"    with torch.no_grad():\n"
	"        y = load(sys.argv[1])(x)\n";

static const char noise_main[] =
	"    if len(sys.argv) != 4:\n"
	"        sys.exit(f\"usage: {sys.argv[0]} weights.safetensors z.npy out.npy\")\n"
	"    z = torch.from_numpy(np.load(sys.argv[2]).astype(np.float32)).reshape(-1, LATENT_DIM)\n"
	"    with torch.no_grad():\n"
	"        np.save(sys.argv[3], load(sys.argv[1])(z).numpy())\n";

/* What main does with y: of a model that paints images, and of one that tells classes apart. */
static const char images_main[] =
	"    print(f\"{len(x)} images, mean squared error {torch.mean((x - y) ** 2).item():.6f}\")\n"
	"    if len(sys.argv) == 4:\n"
	"        np.save(sys.argv[3], y.reshape(images.shape).numpy())\n";
static const char classes_main[] =
	"    p = torch.softmax(y, 1)\n"
	"    for i, row in enumerate(p):\n"
	"        print(f\"image {i}: class {row.argmax().item()}, probability {row.max().item():.4f}\")\n"
	"    if len(sys.argv) == 4:\n"
	"        np.save(sys.argv[3], p.numpy())\n";

static const char ending[] = "\n"
							 "\n"
							 "if __name__ == \"__main__\":\n"
							 "    main()\n";

/* It has no use for images: its first net paints them. */
static bool generates(const struct model *m)
{
	return m->family->decode && !m->family->encode;
}

static void print_opening(struct buf *b, const struct model *m, const char *weights_url)
{
	buf_printf(b, "#!/usr/bin/env python3\n\"\"\"%s\n\n", m->family->blurb);
	buf_printf(
		b, "A model of kind %s, trained by latentd, as PyTorch: %zu parameters", m->family->name, model_parameters(m));
	if (m->latent_dim)
		buf_printf(b, ", %d latent units", m->latent_dim);
	buf_str(b, ".\n\n");
	buf_printf(b, "    curl -o weights.safetensors %s\n", weights_url);
	buf_printf(b, "    python3 pytorch.py weights.safetensors %s\n\n",
		generates(m) ? "z.npy out.npy" : "images.npy [out.npy]");
	if (generates(m))
		buf_printf(b,
			"z.npy: any number of codes of %d standard normal numbers; out.npy gets as many images, pixels in [0, 1].\n",
			m->latent_dim);
	else
		buf_printf(b, "images.npy: any number of images of %d x %d x %d, float in [0, 1] or uint8; out.npy gets %s.\n",
			m->image.c, m->image.h, m->image.w,
			m->family->logits ? "the probability of each class" : "what the model makes of them");
	buf_str(b, "Needs numpy and torch.\n\"\"\"\n");
}

/* "[8, 14, 14]", or "[64]" of a vector. */
static void print_shape(struct buf *b, const struct map *map)
{
	if (map->h == 1 && map->w == 1)
		buf_printf(b, "[%d]", map->c);
	else
		buf_printf(b, "[%d, %d, %d]", map->c, map->h, map->w);
}

/* "        self.encoder = nn.Sequential(…)", a layer a line with the shape that leaves it. */
static void print_net(struct buf *b, const struct net *net)
{
	buf_printf(b, "        self.%s = nn.Sequential(\n", net->name);
	for (int i = 0; i < net->n; i++) {
		const struct layer *l = &net->layer[i];
		buf_str(b, "            ");
		buf_str(b, l->spec.spectral_norm ? "nn.utils.spectral_norm(" : "");
		l->spec.op->print(l, b);
		buf_printf(b, "%s,  # %d: ", l->spec.spectral_norm ? ")" : "", i);
		print_shape(b, &l->out);
		buf_str(b, "\n");
	}
	buf_str(b, "        )\n");
}

/* The nets one after the other; of a distribution per unit the means go on, so that nothing is left to chance. */
static void print_forward(struct buf *b, const struct model *m)
{
	if (generates(m)) {
		buf_printf(b, "\n    def forward(self, z):\n        return %sself.%s(z)%s\n",
			m->family->signed_pixels ? "(" : "", m->net[0].name,
			m->family->signed_pixels ? " + 1) / 2  # pixels are in [-1, 1] there" : "");
		return;
	}
	buf_str(b, "\n    def forward(self, x):\n");
	for (int i = 0; i < m->nets; i++) {
		buf_printf(b, "        x = self.%s(x)\n", m->net[i].name);
		if (i == 0 && m->family->posterior)
			buf_printf(b,
				"        x = x[:, :%d]  # the means; z = mean + exp(logvar / 2) * noise is left to training\n",
				m->latent_dim);
	}
	buf_str(b, "        return x\n");
}

static void print_class(struct buf *b, const struct model *m)
{
	buf_printf(b, "\n\nIMAGE = (%d, %d, %d)  # channels, height, width\n", m->image.c, m->image.h, m->image.w);
	if (generates(m))
		buf_printf(b, "LATENT_DIM = %d\n", m->latent_dim);
	buf_str(b, "\n\nclass Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n");
	for (int i = 0; i < m->nets; i++)
		print_net(b, &m->net[i]);
	print_forward(b, m);
}

void pytorch_print(struct buf *b, const struct model *m, const char *weights_url)
{
	print_opening(b, m, weights_url);
	buf_str(b, reader);
	print_class(b, m);
	buf_str(b, loader);
	buf_str(b, generates(m) ? noise_main : images_in);
	if (!generates(m))
		buf_str(b, m->family->logits ? classes_main : images_main);
	buf_str(b, ending);
}
