#!/usr/bin/env bash
# Events, curves and pictures of a job while it runs and afterwards.
. "$(dirname "$0")/lib.sh"
start
begin=$(now_ms)
taught=$((SLOW ? 400 : 4000)) # enough steps for a curve to be thinned
submit '{"kind":"ae","name":"seen","params":{"epochs":4,"train_limit":'"$taught"'}}'
steps=$((4 * ((taught * 9 / 10 + 127) / 128)))

curl -q -sN "$url/v1/jobs/$job/events.txt" > "$T/text" &
text=$!
curl -q -sN -H 'Accept: text/event-stream' "$url/v1/jobs/$job/events" > "$T/stream" &
stream=$!
await "/v1/jobs/$job/previews" '.data != []'
took=$(($(now_ms) - begin))
is "$(j '[.data[].epoch] | min')" 0 "previews from epoch 0 on"
# The promise is 1 s on a machine with nothing else to do; a test says only that it does not come with the first epoch.
check "the first after $took ms" [ "$took" -lt 10000 ]
settle "$job"
is "$state" succeeded "the job ends"
wait "$text" "$stream"
ok "both streams close by themselves"

for e in 1 2 3 4; do
  like "$(cat "$T/text")" "^epoch $e/4  train_loss 0\.[0-9]+  val_loss 0\.[0-9]+  [0-9.]+ m?s" "events.txt has epoch $e"
done
for type in status metrics checkpoint preview end; do
  check "the stream has $type" grep -qx "event: $type" "$T/stream"
done
ids=$(sed -n 's/^id: //p' "$T/stream")
is "$ids" "$(seq "$(wc -l <<< "$ids")")" "ids count from 1 without a gap"
is "$(sed -n 's/^data: //p' "$T/stream" | jq -c '.seq' | tr '\n' ' ')" "$(tr '\n' ' ' <<< "$ids")" "and are each event's seq"
is "$(grep '^event: ' "$T/stream" | tail -n 1)" "event: end" "the last event is end"
sed -n 's/^data: //p' "$T/stream" | jq -c '.points[]? | [.name, .step]' > "$T/told"
check "metrics events have points" [ "$(wc -l < "$T/told")" -gt 8 ]
is "$(sort "$T/told" | uniq -d)" "" "no point is told twice"
is "$(jq -s 'group_by(.[0]) | map(map(.[1]) | . == sort) | all' "$T/told")" true "none after a later one of its series"

last=$(tail -n 1 <<< "$ids")
curl -q -sN --max-time 10 -H 'Accept: text/event-stream' -H "Last-Event-ID: $((last - 3))" "$url/v1/jobs/$job/events" > "$T/rest"
is "$(sed -n 's/^id: //p' "$T/rest" | tr '\n' ' ')" "$((last - 2)) $((last - 1)) $last " "Last-Event-ID goes on after it"
for after in "$last" $((last + 9)); do
  get "/v1/jobs/$job/events" --max-time 5 -H 'Accept: text/event-stream' -H "Last-Event-ID: $after"
  is "$status" 204 "nothing follows the end: a reader is told not to come back (after $((after - last)))"
done
get "/v1/jobs/$job/events?after=$((last - 2))&limit=100"
is "$(j '[.data[].seq]')" "[$((last - 1)),$last]" "the list after one"
is "$(j '[.data[].event]')" '["status","end"]' "with each event's type"
get "/v1/jobs/$job/events?order=desc&limit=1"
is "$(j '[.data[].seq]')" "[$last]" "the newest event"
get "/v1/jobs/$job/events?types=status,end"
is "$(j '[[.data[] | .event], .has_more]')" '[["status","status","status","end"],false]' "those of some types"
get "/v1/jobs/$job/events?types=checkpoint,end&order=desc&limit=2"
is "$(j '[[.data[] | .event], .has_more, .first_id]')" '[["end","checkpoint"],true,'"$last]" "the newest of some types"
get "/v1/jobs/$job/events?types=checkpoint&order=desc&after=$(j .last_id)&limit=1"
is "$(j '[[.data[] | .event, .epoch], .has_more]')" '[["checkpoint",3],true]' "and those before them"
get "/v1/jobs/$job/events?types=status,news"
like "$status" '^4(00|22)$' "an unknown type is refused"
get "/v1/jobs/$job/events"
is "$(j '[.data[0] | .job, .seq, (.at_ms > 0)]')" "[\"$job\",1,true]" "an event bears job, seq, at_ms"

get "/v1/jobs/$job/metrics"
is "$(j '[.series.train_loss | .step, .epoch, .time_ms, .value, .min, .max | length]')" \
  "[$steps,$steps,$steps,$steps,$steps,$steps]" "train_loss has one point a step"
is "$(j '.series.train_loss.step == [range(1; '$((steps + 1))')]')" true "no step twice, none lost"
is "$(j '.series.val_loss.value|length')" 4 "val_loss has one point an epoch"
is "$(j '.series.train_loss | .value == .min and .value == .max')" true "unthinned min = max = value"
is "$(j '.series.val_loss.value | .[3] < .[0]')" true "it learns"
next=$(j .next_step)
get "/v1/jobs/$job/metrics?names=train_loss&points=10"
is "$(j '[.downsampled, (.series|keys), (.series.train_loss.value|length) <= 10]')" '[true,["train_loss"],true]' "names and points"
is "$(j '.series.train_loss | [.min, .value, .max] | transpose | all(.[0] <= .[1] and .[1] <= .[2])')" true "spikes stay visible"
get "/v1/jobs/$job/metrics?from_step=$next"
is "$(j '[.series[].value|length] | add // 0')" 0 "from_step=next_step is what is new: nothing"
get "/v1/jobs/$job/metrics?names=train_loss&from_step=3&to_step=7"
is "$(j '.series.train_loss.step')" '[3,4,5,6,7]' "a part of a curve"
get "/v1/jobs/$job/metrics?from_step=7&to_step=3"
like "$status" '^4(00|22)$' "a part that ends before it begins is refused"
get "/v1/jobs/$job/metrics?by=epoch"
is "$(j '.series.train_loss.value|length')" 4 "by=epoch"
get "/v1/jobs/$job/metrics?points=1"
like "$status" '^4(00|22)$' "points=1 is refused"
get "/v1/jobs/$job/metrics.csv"
like "$(header Content-Type)" '^text/csv' "CSV"
is "$(wc -l < "$T/body")" 5 "a header and a row per epoch"
like "$(head -n 1 "$T/body")" '^epoch,.*train_loss.*' "named columns"

# shown PATH SIZE
shown() {
  get "$1"
  is "$status $(png_size "$T/body")" "200 $2" "$1 is $2"
}
get "/v1/jobs/$job/previews/0/samples.png"
like "$(png_size "$T/body")" '^[0-9]+x[0-9]+$' "the untrained net's samples"
for kind in reconstructions samples; do
  get "/v1/jobs/$job/$kind.png"
  size=$(png_size "$T/body")
  like "$size" '^[0-9]+x[0-9]+$' "$kind.png is a PNG ($size)"
  shown "/v1/jobs/$job/$kind.png?scale=2" "$((2 * ${size%x*}))x$((2 * ${size#*x}))"
  get "/v1/jobs/$job/previews/4/$kind.png"
  newest=$(sha256sum < "$T/body")
  get "/v1/jobs/$job/$kind.png"
  is "$(sha256sum < "$T/body")" "$newest" "the latest $kind are those of the last epoch"
done
get "/v1/jobs/$job/previews"
is "$(j '[.data[].epoch] | unique')" '[0,1,2,3,4]' "a preview for every epoch"
step=$(j '[.data[] | select(.epoch == 2)][0].step')
get "$(j '.data[0].url')"
like "$(png_size "$T/body")" '^[0-9]+x' "its url leads there"
get "/v1/jobs/$job/previews/2/samples.png?step=$step"
is "$status $(header Latentd-Epoch) $(header Latentd-Step)" "200 2 $step" "?step= names an epoch's preview, and the reply does"
get "/v1/jobs/$job/previews/2/samples.png?step=$((step + 1))"
like "$status $(j .detail)" "^404 .*step $step" "another step has none, and the reply says which has"
for scale in 0 17 x; do
  get "/v1/jobs/$job/samples.png?scale=$scale"
  like "$status" '^4(00|22)$' "scale=$scale is refused"
done
get "/v1/jobs/$job/curves.svg"
is "$(header Content-Type)" image/svg+xml "curves as SVG"
like "$body" '</svg>' "a whole one"
get "/v1/jobs/$job/curves.png?x=epoch&log=1"
like "$(png_size "$T/body")" '^[0-9]+x[0-9]+$' "curves as PNG"
get "/v1/jobs/$job/metrics.xml"
like "$status" '^40[46]$' "an unknown format is refused"

# A code that costs more than anything it could tell: the run says so once, with what to do.
seen=$job
submit '{"kind":"vae","name":"dead","params":{"epochs":4,"beta":1000,"train_limit":'$((SLOW ? 500 : 2000))',"latent_dim":3}}'
settle "$job"
get "/v1/jobs/$job/events?limit=100"
is "$(j '[.data[] | select(.event == "alert") | .code]')" '["posterior_collapse"]' "one alert"
like "$(j '.data[] | select(.event == "alert") | .message, .remedy')" 'none of 3 units is active.*lower beta.*free_bits' "with its remedy"
get "/v1/jobs/$job"
like "$(j '.warnings')" '^\["posterior collapse: .*free_bits"\]$' "among the job's warnings"
is "$(j '.metrics | [.active_units, has("kl_0"), has("kl_2"), has("kl_3")]')" '[0,true,true,false]' "series of each unit"
get "/v1/jobs/$job/metrics?names=kl,val_kl&by=epoch"
is "$(j '.series | keys')" '["kl_0","kl_1","kl_2","val_kl"]' "kl stands for all of them"
is "$(j '.series | [.kl_0.value[3] + .kl_1.value[3] + .kl_2.value[3] - .val_kl.value[3] | fabs < 1e-6]')" '[true]' "which make val_kl"
get "/v1/jobs/$job/metrics?names=kl_x"
like "$status" '^4(00|22)$' "no unit x"
job=$seen

# The ids a client holds are good after a crash, too.
crash
start
get "/v1/jobs/$job/events?after=$((last - 1))"
is "$(j '[.data[].seq]')" "[$last]" "event ids are valid after kill -9"
stop
finish
