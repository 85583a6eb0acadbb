#!/usr/bin/env bash
# Trains the judge's classifier as core/lab/evaluator.json says, through the public API, and compares the bits with those in git.
#
#   tests/golden/evaluator.sh            about ten minutes on two cores; exit 1 where a tensor differs
#   WRITE=1 tests/golden/evaluator.sh    the same, then writes core/lab/evaluator.{safetensors,json} anew
#   URL=http://127.0.0.1:7117 JOB=evaluator …   of a job that a running daemon has trained already
#
# The file's own sha256 covers its metadata, too, which name every parameter there is; so what is compared is the tensors.
set -euo pipefail
cd "$(dirname "$0")/../.."
LATENTD=${LATENTD:-build/release/latentd}
FILE=core/lab/evaluator.safetensors
FACTS=core/lab/evaluator.json
T=$(mktemp -d)
pid=
cleanup() {
  if [ -n "$pid" ]; then kill -TERM "$pid" && wait "$pid"; fi
  rm -rf "$T"
}
trap cleanup EXIT

start() {
  "$LATENTD" --data-dir "$T/data" --listen 127.0.0.1:0 --port-file "$T/port" --log-level warn &
  pid=$!
  for _ in $(seq 100); do
    [ -s "$T/port" ] && break
    sleep 0.1
  done
  URL=http://127.0.0.1:$(cat "$T/port")
}

# Waits for the job of that id or name; leaves $T/job.json.
settle() {
  until curl -sfg "$URL/v1/jobs/$1?wait_s=600" > "$T/job.json" && jq -e '.status | IN("succeeded", "failed", "cancelled")' "$T/job.json" > /dev/null; do
    echo "epoch $(jq .progress.epoch "$T/job.json") of $(jq .progress.epochs "$T/job.json")"
  done
  jq -e '.status == "succeeded"' "$T/job.json" > /dev/null || { jq .error "$T/job.json"; exit 1; }
}

# What follows the header of a safetensors file.
tensors_sha256() {
  local length
  length=$(od -An -tu8 -N8 "$1" | tr -d ' ')
  tail -c "+$((length + 9))" "$1" | sha256sum | cut -c 1-64
}

if [ -z "${URL:-}" ]; then
  start
  JOB=$(jq -c .job "$FACTS" | curl -sf --json @- "$URL/v1/jobs" | jq -r .id)
fi
settle "$JOB"
curl -sf "$URL/v1/jobs/$JOB/checkpoints/last/weights" -o "$T/weights"
jq -n --slurpfile facts "$FACTS" --slurpfile job "$T/job.json" --arg sha256 "$(sha256sum "$T/weights" | cut -c 1-64)" \
  --arg tensors "$(tensors_sha256 "$T/weights")" '$job[0] as $j | {job: $facts[0].job, sha256: $sha256, tensors_sha256: $tensors,
  dataset_sha256: $j.dataset_sha256, accuracy: $j.test.accuracy}' > "$T/facts.json"
jq . "$T/facts.json"
jq -e '.accuracy >= 0.93' "$T/facts.json" > /dev/null || { echo "less than 93 % of the test images: no judge"; exit 1; }
if [ -n "${WRITE:-}" ]; then
  cp "$T/weights" "$FILE"
  cp "$T/facts.json" "$FACTS"
fi
[ "$(tensors_sha256 "$T/weights")" = "$(tensors_sha256 "$FILE")" ] || { echo "not the bits of $FILE"; exit 1; }
echo "the bits of $FILE"
