#!/usr/bin/env bash
# kill -9 at any moment, many times: what tests/torture proves, in its short form; then a GAN with a judge, whose verdicts, signs of
# collapse and roll-backs are state, too: it ends by itself with the bits of an undisturbed run.
. "$(dirname "$0")/lib.sh"

# torture ARGUMENT...: its results become ours.
torture() {
  local line
  while IFS= read -r line; do
    case $line in
      'ok '*) ok "${line#* - }" ;;
      'not ok '*) not_ok "${line#* - }" "$(grep FAILED "$T/torture" | head -n 10)" ;;
    esac
  done < <(env "$@" SHORT=1 TAP=1 LATENTD="$LATENTD" TORTURE_DIR="$T" /usr/bin/python3 tests/torture/torture.py 2>&1 | tee "$T/torture")
  check "torture: it ran to its end" grep -qE '^[1-9][0-9]* passed, [0-9]+ failed$' "$T/torture"
  cat "$T/torture"
}

# What a sanitizer has to say of a kill and a restart, it says of the first ones.
if [ -n "$SLOW" ]; then
  torture ONLY='^storm$' KILLS=3
  finish
fi
torture ONLY=.

# pictures JOB: checksums of its previews.
pictures() { (cd "$D/jobs/$1/previews" && sha256sum -- *.png); }

gan() {
  echo "{\"kind\":\"gan\",\"name\":\"$1\",\"seed\":5,\"params\":{\"epochs\":4,\"train_limit\":2000,\"channels\":[8,4],
    \"discriminator_channels\":[4,8],\"judge_samples\":256,\"n_critic\":2,\"on_collapse\":\"rollback\",\"lr_g\":1e-9}}"
}

start
submit "$(gan calm)"
settle "$job"
is "$state" succeeded "a judged GAN: the undisturbed run"
calm=$(fingerprint "$job") calm_best=$(weights_sum "$job" best) calm_pictures=$(pictures "$job")
span=$(($(j .finished_at_ms) - $(j .started_at_ms)))
submit "$(gan shaken)"
kills=0
while [ "$kills" -lt 3 ]; do
  sleep "$((RANDOM % (span / 2 + 100)))e-3"
  get "/v1/jobs/$job"
  [ "$(j .status)" = succeeded ] && break
  crash
  kills=$((kills + 1))
  start
done
settle "$job"
is "$state" succeeded "a judged GAN: killed $kills times, it ends by itself"
is "$(fingerprint "$job") $(weights_sum "$job" best)" "$calm $calm_best" "a judged GAN: weights and curve are those of the undisturbed run"
is "$(pictures "$job")" "$calm_pictures" "a judged GAN: so are the previews"
stop
finish
