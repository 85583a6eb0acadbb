/* pytorch.h: a model's rows as readable PyTorch: nn.Sequential nets that load the exported weights. */
#ifndef LATENTD_API_PYTORCH_H
#define LATENTD_API_PYTORCH_H

#include "core/base/buf.h"
#include "core/model/model.h"

/* A complete script: the nets, a safetensors reader of a few lines (numpy only), load(path) and, run as a program, a
 * round trip over images given as .npy. `weights_url` appears in its opening comment. */
void pytorch_print(struct buf *b, const struct model *m, const char *weights_url);

#endif
