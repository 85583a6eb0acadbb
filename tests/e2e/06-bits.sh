#!/usr/bin/env bash
# The same bits: for the same seed, any number of threads, a neighbour, and both wide numeric levels.
. "$(dirname "$0")/lib.sh"
RUN='"params":{"epochs":2,"train_limit":'$(images 5000)'}'

# run NAME SEED: sets print
run() {
  submit "{\"kind\":\"ae\",\"name\":\"$1\",\"seed\":$2,$RUN}"
  settle "$job"
  is "$state" succeeded "$1 ends"
  print=$(fingerprint "$job")
}

start --threads 2
run once 1
reference=$print
like "$reference" '^[0-9a-f]{64} [0-9a-f]{64}$' "a fingerprint"
is "$(grep -c e3b0c44298fc <<< "$reference")" 0 "of something"
run again 1
is "$print" "$reference" "the same seed twice"
run other 2
check "another seed differs" [ "$print" != "$reference" ]
submit "{\"kind\":\"ae\",\"name\":\"neighbour\",\"seed\":3,$RUN}"
run beside 1
is "$print" "$reference" "beside a neighbour"
stop

for threads in 1 3; do
  start --threads "$threads"
  run "threads-$threads" 1
  is "$print" "$reference" "--threads $threads"
  stop
done

flags=$(grep -m 1 '^flags' /proc/cpuinfo)
if [[ $flags == *\ avx2\ * && $flags == *\ avx512f\ * ]]; then
  for level in avx2 avx512; do
    export LATENTD_CPU=$level
    start
    get /v1/info
    like "$body" "\"$level\"" "the level is $level"
    run "$level" 1
    is "$print" "$reference" "LATENTD_CPU=$level"
    stop
  done
  unset LATENTD_CPU
else
  skip "AVX2 = AVX-512" "this processor has not both"
fi
finish
