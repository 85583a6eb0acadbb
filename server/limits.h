/* limits.h: every bound a client can meet, one row each: checked where it applies, listed in GET /v1/info. */
#ifndef LATENTD_SERVER_LIMITS_H
#define LATENTD_SERVER_LIMITS_H

#include "api/json.h"
#include "core/model/model.h"
#include "server/door.h"
#include "server/http.h"
#include "server/stream.h"
#include "server/upload.h"

enum { LIMIT_GRID_IMAGES = 4096, LIMIT_VECTORS = 10000, LIMIT_QUEUE = 100000, LIMIT_WAIT_S = 600, LIMIT_COMMAND_S = 10, LIMIT_LIST = 100, LIMIT_EVENTS = 1000, LIMIT_METRICS_JOBS = 200,
	LIMIT_NUMBERS = 8 << 20 /* of codes, as text */, LIMIT_FRAMES = 1000, LIMIT_FRAME_PIXELS = 256 << 20 /* of an animation */ };

/* key in /v1/info, value */
#define LIMITS(X) \
	X("body_bytes", DOOR_JSON_BYTES) \
	X("binary_body_bytes", DOOR_BINARY_BYTES) \
	X("upload_bytes", DOOR_BINARY_BYTES) \
	X("unpacked_bytes", UPLOAD_BYTES_MAX) \
	X("unpacked_entries", UPLOAD_ENTRIES_MAX) \
	X("json_depth", JSON_DEPTH_MAX) \
	X("name_characters", JOB_NAME_MAX) \
	X("grid_images", LIMIT_GRID_IMAGES) \
	X("animation_frames", LIMIT_FRAMES) \
	X("animation_pixels", LIMIT_FRAME_PIXELS) \
	X("vectors", LIMIT_VECTORS) \
	X("numbers", LIMIT_NUMBERS) \
	X("queued_jobs", LIMIT_QUEUE) \
	X("event_streams", STREAMS_MAX) \
	X("event_stream_jobs", STREAM_JOBS_MAX) \
	X("metrics_jobs", LIMIT_METRICS_JOBS) \
	X("header_deadline_s", HTTP_HEADER_MS / 1000) \
	X("body_deadline_s", HTTP_BODY_MS / 1000) \
	X("wait_s", LIMIT_WAIT_S) \
	X("command_wait_s", LIMIT_COMMAND_S) \
	X("model_parameters", MODEL_PARAMETERS_MAX) \
	X("latent_dim", LATENT_DIM_MAX)

#endif
