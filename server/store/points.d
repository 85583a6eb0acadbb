server/store/points: server/store/points.c server/store/internal.h \
 server/store/store.h api/job.h core/base/err.h api/sse.h api/json.h \
 core/base/buf.h api/view.h api/curve.h core/data/dataset.h \
 core/data/dataset_dir.h core/model/train.h core/base/pool.h \
 core/model/model.h core/base/param.h core/model/train_params.h \
 core/data/augment.h core/base/rng.h core/nn/net.h core/kern/kern.h \
 core/base/cpu.h core/base/real.h core/model/state.h core/model/verdict.h \
 core/nn/optim.h server/clock.h server/store/blocks.h
server/store/internal.h:
server/store/store.h:
api/job.h:
core/base/err.h:
api/sse.h:
api/json.h:
core/base/buf.h:
api/view.h:
api/curve.h:
core/data/dataset.h:
core/data/dataset_dir.h:
core/model/train.h:
core/base/pool.h:
core/model/model.h:
core/base/param.h:
core/model/train_params.h:
core/data/augment.h:
core/base/rng.h:
core/nn/net.h:
core/kern/kern.h:
core/base/cpu.h:
core/base/real.h:
core/model/state.h:
core/model/verdict.h:
core/nn/optim.h:
server/clock.h:
server/store/blocks.h:
