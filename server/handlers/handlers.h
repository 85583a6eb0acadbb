/* handlers.h: the handlers that route.c's rows name. Each: parse → act → view. */
#ifndef LATENTD_SERVER_HANDLERS_HANDLERS_H
#define LATENTD_SERVER_HANDLERS_HANDLERS_H

#include "server/call.h"

/* clang-format off */
handler_fn h_page, h_openapi, h_livez, h_readyz, h_metrics, h_info; /* meta.c, page.c */
handler_fn h_kinds, h_kind, h_datasets, h_dataset, h_dataset_images, h_dataset_labels; /* data.c */
handler_fn h_dataset_put, h_dataset_delete;                         /* upload.c */
handler_fn h_job_submit, h_job_list, h_job_show, h_job_edit; /* job.c */
handler_fn h_job_command, h_job_checkpoint, h_queue, h_queue_pause, h_queue_resume; /* command.c */
handler_fn h_job_delete;                                            /* job_delete.c */
handler_fn h_job_fork;                                              /* fork.c */
handler_fn h_job_verify;                                            /* verify.c */
handler_fn h_events, h_events_many;                                 /* event.c, event_many.c */
handler_fn h_job_metrics, h_metrics_many, h_curves;                 /* curve.c */
handler_fn h_previews, h_preview, h_preview_latest;                 /* preview.c */
handler_fn h_timelapse;                                             /* timelapse.c */
handler_fn h_bundle;                                                /* bundle.c */
handler_fn h_confusion;                                             /* confusion.c */
handler_fn h_projection;                                            /* projection.c */
handler_fn h_checkpoints, h_checkpoint_weights, h_model_weights;    /* weights.c */
handler_fn h_models, h_model, h_pytorch, h_decode, h_decode_get, h_sample, h_samples_get, h_encode, h_reconstruct, h_classify; /* model.c */
handler_fn h_interpolate;                                           /* interpolate.c */
handler_fn h_latents, h_latent_stats;                               /* latents.c */
handler_fn h_manifold, h_traversals;                                /* atlas.c */
handler_fn h_arithmetic;                                            /* arithmetic.c */
handler_fn h_nearest;                                               /* nearest.c */
handler_fn h_study_trials, h_study_best, h_study_importance, h_study_history, h_study_sheet;                             /* study.c */
handler_fn h_score, h_classes;                                      /* score.c */
/* clang-format on */

struct evaluator;
/* "evaluator":{…} */
void evaluator_write(struct jsonw *w, const struct evaluator *e);

#endif
