#!/usr/bin/env bash
# The same bits: for the same seed, any number of threads, a neighbour, and both wide numeric levels.
. "$(dirname "$0")/lib.sh"
# A small net of the classifier's, with batch norm, dropout and augmentation.
MORE='"epochs":2,"train_limit":'$(images 2500)
# A small adversarial pair, judged ten times an epoch by few samples, with everything that is not the default.
PAIR='"channels":[8,4],"discriminator_channels":[4,8],"n_critic":2,"instance_noise":0.1,"r1_every":4,"judge_samples":256,
  "epochs":2,"train_limit":'$(images 2000)
declare -A RUN=([ae]="$MORE" [vae]="$MORE" [classifier]='"channels":[4,8],"convs":1,'$MORE [gan]=$PAIR)
KINDS='ae vae classifier'
if [ -z "$SLOW" ]; then KINDS+=' gan'; fi # step.c and train.c of the unit tests have it under sanitizers
declare -A reference

# run KIND NAME SEED: sets print
run() {
  submit "{\"kind\":\"$1\",\"name\":\"$1-$2\",\"seed\":$3,\"params\":{${RUN[$1]}}}"
  settle "$job"
  is "$state" succeeded "$1-$2 ends"
  print=$(fingerprint "$job")
}

# same NAME WHAT: a run of each kind has the bits of the first one
same() {
  local kind
  for kind in $KINDS; do
    run "$kind" "$1" 1
    is "$print" "${reference[$kind]}" "$kind: $2"
  done
}

start --threads 2
for kind in $KINDS; do
  run "$kind" once 1
  reference[$kind]=$print
  like "$print" '^[0-9a-f]{64} [0-9a-f]{64}$' "$kind: a fingerprint"
  is "$(grep -c e3b0c44298fc <<< "$print")" 0 "$kind: of something"
  run "$kind" other 2
  check "$kind: another seed differs" [ "$print" != "${reference[$kind]}" ]
done
check "another kind differs" [ "${reference[ae]}" != "${reference[vae]}" ]
same again "the same seed twice"
submit "{\"kind\":\"ae\",\"name\":\"neighbour\",\"seed\":3,\"params\":{$MORE}}"
same beside "beside a neighbour"
stop

# All kinds at once, among neighbours that are cancelled, paused and resumed, or fail.
start --threads 2 --workers 5
declare -A crowd
for kind in $KINDS; do
  submit "{\"kind\":\"$kind\",\"name\":\"$kind-crowd\",\"seed\":1,\"params\":{${RUN[$kind]}}}"
  crowd[$kind]=$job
  # each step multiplies its weights by -9
  submit "{\"kind\":\"ae\",\"preset\":\"report\",\"name\":\"$kind-lost\",\"params\":{\"optimizer\":\"sgd\",\"lr\":10,\"weight_decay\":1,\"train_limit\":1024}}"
done
for ((i = 0; i < 3; i++)); do
  submit "{\"kind\":\"vae\",\"priority\":1,\"params\":{\"epochs\":500}}"
  sleep 0.2
  post "/v1/jobs/${crowd[vae]}/pause" '{}'
  post "/v1/jobs/$job/cancel" '{}'
  post "/v1/jobs/${crowd[vae]}/resume" '{}'
done
for kind in $KINDS; do
  settle "${crowd[$kind]}"
  is "$state $(fingerprint "${crowd[$kind]}")" "succeeded ${reference[$kind]}" "$kind: in a crowd of neighbours that come, go and fail"
  req POST "/v1/jobs/$kind-lost/cancel"
done
get '/v1/jobs?status=failed'
check "some of them failed" [ "$(j '.data | length')" -ge 1 ]
stop

for threads in 1 3; do
  start --threads "$threads"
  same "threads-$threads" "--threads $threads"
  stop
done

# The bits of the baseline are its own; it trains, to the same ones each time.
export LATENTD_CPU=baseline
start
get /v1/info
like "$body" '"baseline"' "the level is baseline"
run ae baseline 1
first=$print
run ae baseline-again 1
is "$print" "$first" "LATENTD_CPU=baseline twice"
stop
unset LATENTD_CPU

flags=$(grep -m 1 '^flags' /proc/cpuinfo)
if [[ $flags == *\ avx2\ * && $flags == *\ avx512f\ * ]]; then
  for level in avx2 avx512; do
    export LATENTD_CPU=$level
    start
    get /v1/info
    like "$body" "\"$level\"" "the level is $level"
    same "$level" "LATENTD_CPU=$level"
    stop
  done
  unset LATENTD_CPU
else
  skip "AVX2 = AVX-512" "this processor has not both"
fi
finish
