#!/usr/bin/env bash
# Events and curves of several jobs at once: one list, one stream, without a gap or a repeat of any, also over kill -9.
. "$(dirname "$0")/lib.sh"
start --workers 2

# A job of each kind of curves, one that waits for both, and one that is nobody's business.
submit '{"kind":"ae","name":"one","params":{"epochs":6,"train_limit":'"$(images 4000)"'}}'
a=$job
submit '{"kind":"vae","name":"two","params":{"epochs":6,"latent_dim":2,"train_limit":'"$(images 4000)"'}}'
b=$job
submit '{"kind":"ae","name":"three","depends_on":["'"$a"'","'"$b"'"],'"$TINY"'}'
c=$job
submit '{"kind":"ae","name":"other","priority":-5,'"$TINY"'}'
other=$job

# follow FILE CURSOR: the stream of a, b and c until it ends or breaks off.
follow() {
  curl -q -sN --max-time 100 -H 'Accept: text/event-stream' -H "Last-Event-ID: $2" "$url/v1/events?jobs=$a,$b,$c" >> "$1"
}
cursor() { sed -n 's/^id: //p' "$1" | tail -n 1; }

# Followed over two kills, each time from the id that came last.
follow "$T/stream" "" &
reader=$!
for kill in 1 2; do
  limit=$(($(now_ms) + 60000))
  while [ "$(grep -c '"epoch_end"' "$T/stream")" -lt $((3 * kill)) ] && [ "$(now_ms)" -lt $limit ]; do sleep 0.02; done
  crash
  wait "$reader"
  # What was cut off in the middle is no event: it ends before its blank line.
  awk -v RS= -v ORS='\n\n' '/^data: .*}$/ || /\ndata: .*}$/' "$T/stream" > "$T/whole"
  cp "$T/whole" "$T/stream"
  start --workers 2
  follow "$T/stream" "$(cursor "$T/stream")" &
  reader=$!
done
wait "$reader"
ok "the stream ends by itself when the last of its jobs has"

sed -n 's/^data: //p' "$T/stream" > "$T/told"
for id in $a $b $c; do
  is "$(jq -c --arg job "$id" 'select(.job == $job) | .seq' "$T/told" | tr '\n' ' ')" \
    "$(get "/v1/jobs/$id/events?limit=1000" && j '.data[].seq' | tr '\n' ' ')" "every event of a job once, in order, over two kills"
done
is "$(jq -r .job "$T/told" | sort -u | tr '\n' ' ')" "$(printf '%s\n' "$a" "$b" "$c" | sort | tr '\n' ' ')" "and of no other job"
# Each id is how far all of them were told.
is "$(jq -Rrn --arg a "$a" --arg b "$b" --arg c "$c" '
  [inputs | capture("^(?<k>id|data): (?<v>.*)")] | [range(0; length; 2) as $i | {id: .[$i].v, data: (.[$i + 1].v | fromjson)}]
  | reduce .[] as $e ({at: [0, 0, 0], wrong: 0}; .at[[$a, $b, $c] | index($e.data.job)] = $e.data.seq
  | if (.at | map(tostring) | join(",")) == $e.id then . else .wrong += 1 end) | .wrong' < <(grep -E '^(id|data): ' "$T/stream"))" \
  0 "the id of each event is the cursor of all jobs"
last=$(cursor "$T/stream")
get "/v1/events?jobs=$a,$b,$c" -H 'Accept: text/event-stream' -H "Last-Event-ID: $last"
is "$status" 204 "nothing follows: a reader is told not to come back"

# As a list, in pages.
settle "$other"
: > "$T/pages"
after=
while get "/v1/events?jobs=one,$b,three&limit=20&after=$after"; do
  j '.data[] | [.job, .seq, .at_ms]' >> "$T/pages"
  after=$(j .last_id)
  [ "$(j .has_more)" = true ] || break
done
is "$(jq -c '.[0:2]' "$T/pages" | sort)" "$(jq -c '[.job, .seq]' "$T/told" | sort)" "the pages of the list have the same events"
is "$(jq -s 'map(.[2]) | . == sort' "$T/pages")" true "by time"
is "$after" "$last" "up to the same cursor"
get "/v1/events?jobs=$a,$b&limit=1&after=3"
is "$(j '[.data[0].seq, .last_id, .first_id]')" '[1,"3,1","3,1"]' "a short cursor: the others from their beginning"
get "/v1/events?jobs=$a,$b&after=99999,99999"
is "$(j '[.data, .last_id, .has_more]')" '[[],null,false]' "nothing after the end"

# refused PATH PATTERN WHAT
refused() {
  get "$1"
  like "$status $(j .detail)" "$2" "$3"
}
refused "/v1/events" '^422 .*jobs must name' "no jobs"
refused "/v1/events?jobs=" '^422 .*jobs must name' "empty jobs"
refused "/v1/events?jobs=$a,one" "^422 .*$a twice" "a job twice"
refused "/v1/events?jobs=$a,$b&after=1,x" '^422 .*after .*1,x' "a cursor of no numbers"
refused "/v1/events?jobs=$a,$b&after=1,2,3" '^422 .*more numbers than' "a cursor that is too long"
refused "/v1/events?jobs=$a,$b&after=1," '^422 ' "a cursor that ends with a comma"
get "/v1/events?jobs=$a" -H 'Accept: text/event-stream' -H 'Last-Event-ID: -1'
like "$status $(j .detail)" '^422 Last-Event-ID' "Last-Event-ID likewise"
refused "/v1/events?jobs=job_x,$a,nobody" '^404 ' "jobs that are not there"
is "$(j .missing)" '["job_x","nobody"]' "and the problem names all of them"
refused "/v1/events?jobs=$(printf "$a,%.0s" {1..100})$b" '^422 .*100' "too many"
get /v1/info
is "$(j '[.limits.event_stream_jobs, .limits.metrics_jobs]')" '[100,200]' "both limits are in /v1/info"

# Curves.
get "/v1/metrics?jobs=$a,two,$c&names=train_loss,val_kl&points=20"
is "$(j '.data | keys_unsorted')" "[\"$a\",\"$b\",\"$c\"]" "curves by id, in the order of jobs"
is "$(j '[.object, (.data[] | .series | keys)]')" '["metrics_list",["train_loss"],["train_loss","val_kl"],["train_loss"]]' "a name that one kind has not"
j ".data[\"$b\"]" > "$T/one"
get "/v1/jobs/$b/metrics?names=train_loss,val_kl&points=20"
is "$(jq -cS . "$T/one")" "$(j . | jq -cS .)" "the same as of the job alone"
get "/v1/metrics?jobs=$a,$b&by=epoch&names=val_loss"
is "$(j '[.data[].series.val_loss.value | length]')" '[6,6]' "by epoch"
refused "/v1/metrics?jobs=$a,$b&names=nothing" '^422 .*nothing' "a series of none of them"
refused "/v1/metrics?jobs=$a,job_x" '^404 .*job_x' "curves of a job that is not there"
is "$(j .missing)" '["job_x"]' "which the problem names"
refused "/v1/metrics?jobs=$a,$b&points=600000" '^422 .*1000000' "too many points in all"
get "/metrics"
like "$body" 'latentd_build_info' "and /metrics is what it was"

# A job that is deleted has ended, for who has seen some of it.
req DELETE "/v1/jobs/$a"
is "$status" 204 "a job is deleted"
curl -q -sN --max-time 20 -H 'Accept: text/event-stream' "$url/v1/events?jobs=$a,$b&after=1,$(cut -d, -f2 <<< "$last")" -o "$T/rest" -w '%{http_code}' > "$T/code"
is "$(cat "$T/code")" 204 "with the others at their end, too: all is told"
curl -q -sN --max-time 20 -H 'Accept: text/event-stream' "$url/v1/events?jobs=$a,$b&after=1,1" > "$T/rest"
is "$(sed -n 's/^data: //p' "$T/rest" | jq -r .job | sort -u)" "$b" "the stream tells of those that are left"
refused "/v1/events?jobs=$a,$b&after=0,1" '^404 ' "who has seen nothing of it may have mistaken its name"
stop
finish
