#!/usr/bin/env bash
# The disk is full in the middle of a checkpoint: the earlier ones stay as they are, the job fails and says what is missing, and once
# there is room it ends with the bits of a run that had room all along. RUNS: how many amounts of room are tried.
#
# A small tmpfs in a mount namespace of its own stands for the disk: this script starts itself again inside one.
INSIDE=${INSIDE:-}
if [ -z "$INSIDE" ]; then
  for flags in -m -Urm; do
    if unshare $flags sh -c 'mount -t tmpfs -o size=1m none /mnt' 2>/dev/null; then
      INSIDE=1 exec unshare $flags "$0" "$@"
    fi
  done
fi
. "$(dirname "$0")/lib.sh"
if [ -z "$INSIDE" ]; then
  skip "a full disk" "no mount namespace may be made here"
  finish
fi
RUNS=${RUNS:-$((SLOW ? 1 : 3))} EPOCHS=4
# About a quarter of a MiB each.
JOB="{\"kind\":\"ae\",\"seed\":4,\"params\":{\"latent_dim\":2,\"hidden\":[64],\"epochs\":$EPOCHS,\"batch_size\":256,\"train_limit\":1500}}"

numbered() { printf '%s/jobs/%s/checkpoints/epoch-%06d.safetensors' "$D" "$1" "$2"; }

# The run that has room.
start
submit "$JOB"
calm=$job
settle "$calm"
wanted=$(fingerprint "$calm")
size=$(stat -c %s "$(numbered "$calm" 1)")
cp -r "$D/jobs/$calm/checkpoints" "$T/calm"
stop

D=$T/small
mkdir -p "$D/jobs"
mount -t tmpfs -o size=64m none "$D/jobs"
start
for ((run = 1; run <= RUNS; run++)); do
  # Room for some checkpoints and a part of the next: of 3 runs 1.25, 1.75, 2.25.
  room=$((size * (100 + (run - 1) % 100 * 150 / RUNS + 150 / RUNS / 2) / 100))
  used=$(df --output=used -B1 "$D/jobs" | tail -n 1)
  # Pictures take some, too; the job's own folder is what is left.
  mount -o "remount,size=$((used + room + 65536))" "$D/jobs"
  submit "$JOB"
  settle "$job"
  is "$state $(j '.error.code')" "failed no_space" "run $run: with room for $((room * 100 / size)) % of a checkpoint it fails"
  like "$(j '.error.detail')" "^the checkpoint of epoch [0-9]+: no space: [0-9.]+ [KM]iB are needed, [0-9.]+ ([KM]iB|bytes) are free in $D/jobs/$job/checkpoints\$" \
    "run $run: and says how much"
  kept=0
  for ((epoch = 1; epoch <= EPOCHS; epoch++)); do
    if [ -e "$(numbered "$job" $epoch)" ] && ! cmp -s "$(numbered "$job" $epoch)" "$T/calm/epoch-00000$epoch.safetensors"; then
      not_ok "run $run: checkpoint $epoch is whole"
    fi
    if [ -e "$(numbered "$job" $epoch)" ]; then kept=$epoch; fi
  done
  check "run $run: $kept earlier checkpoints are byte for byte what they were" [ "$kept" -ge 1 ]
  is "$(find "$D/jobs/$job" -name '*.tmp')" "" "run $run: nothing half written is left"
  get /readyz
  is "$status" 200 "run $run: the daemon goes on"
  mount -o remount,size=64m "$D/jobs"
  post "/v1/jobs/$job/retry" '{}'
  settle "$job"
  is "$state $(fingerprint "$job")" "succeeded $wanted" "run $run: with room again it ends with the same bits"
  req DELETE "/v1/jobs/$job"
done
stop
umount "$D/jobs"
finish
