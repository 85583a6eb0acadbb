#!/usr/bin/env bash
# A database that is damaged or lost, and what is made of it; a backup that starts.
. "$(dirname "$0")/lib.sh"

# refuses WHAT: the daemon does not start; exit code, path and what to do.
refuses() {
  launch
  local code=0
  wait "$pid" || code=$?
  pid=
  is "$code" 74 "$1: exit code 74"
  check "it names the file and what to run" grep -q "$D/latentd.db.*latentd recover --data-dir $D" <(tail -n 3 "$daemon_log")
}

start --workers 1
submit "{\"kind\":\"ae\",\"name\":\"done\",$TINY}"
settle "$job"
done=$job bits=$(fingerprint "$job") best=$(weights_sum "$job" best) test_loss=$(j .test.loss)
submit '{"kind":"ae","name":"busy","params":{"epochs":100000,"train_limit":2000}}'
busy=$job
submit "{\"kind\":\"vae\",\"name\":\"waits\",\"priority\":-3,\"metadata\":{\"a\":\"b\"},\"depends_on\":[\"done\"],$TINY}"
waits=$job
await "/v1/jobs/$busy/checkpoints" '.data != []'

# --- a backup, while it works ---
"$LATENTD" backup --data-dir "$D" --to "$T/backup" > "$T/out"
is "$?" 0 "a backup while the daemon works"
check "it says what it did" grep -q '3 jobs' "$T/out"
"$LATENTD" backup --data-dir "$D" --to "$T/backup" 2> /dev/null
is "$?" 74 "not over another one"
"$LATENTD" backup --data-dir "$D" 2> /dev/null
is "$?" 64 "nor to nowhere"
"$LATENTD" recover --data-dir "$D" 2> "$T/out"
is "$?" 73 "nothing is recovered beneath a daemon"
stop
here=$D
D=$T/backup
start --workers 1
is "$(fingerprint "$done")" "$bits" "the backup starts: the job that had ended has its bits"
get "/v1/jobs/$busy"
is "$(j '.attempt >= 1')" true "the one that ran goes on"
post "/v1/jobs/$busy/cancel" ''
settle "$waits"
is "$state" succeeded "and the one that waited ends"
stop
D=$here

# --- one byte ---
"$LATENTD" recover --data-dir "$D" > "$T/out"
is "$? $(grep -c 'is sound' "$T/out")" "0 1" "a sound database is left alone"
printf '\xff' | dd of="$D/latentd.db" bs=1 seek=68 conv=notrunc status=none
refuses "a byte is another one"
"$LATENTD" recover --data-dir "$D" > "$T/out"
is "$?" 0 "recover"
check "it says how much it found, and where the old file is" grep -q '3 jobs' "$T/out"
check "which is kept" compgen -G "$D/latentd.db.damaged-*"
start --workers 1
is "$(fingerprint "$done")" "$bits" "all of it is there: weights and curve"
get "/v1/jobs/$waits"
is "$(j '[.status,.priority,.metadata.a,.name,(.depends_on|length)]')" '["queued",-3,"b","waits",1]' "and what waits"

# --- all of it ---
crash
rm "$D"/latentd.db*
refuses "no database"
"$LATENTD" recover --data-dir "$D" > "$T/out"
is "$?" 0 "recover without any"
start --workers 1
get "/v1/jobs?order=asc"
is "$(j '[.data[].name]')" '["done","busy","waits"]' "the jobs are there, in their order"
post "/v1/jobs/$busy/cancel" ''
settle "$done"
is "$state $(weights_sum "$done") $(weights_sum "$done" best)" "succeeded ${bits% *} $best" "what was finished is finished again, with its bits"
is "$(j .test.loss)" "$test_loss" "and its verdict"
settle "$waits"
is "$state $(j '[.priority,.metadata.a]')" 'succeeded [-3,"b"]' "what waited has run"
stop
is "$code" 0 "a clean stop"
finish
