#!/usr/bin/env bash
# Jobs that wait for others, jobs that go, lists in pages.
. "$(dirname "$0")/lib.sh"
start --workers 1

# --- depends_on ---
submit "{\"kind\":\"ae\",\"name\":\"first\",\"params\":{\"epochs\":5,\"train_limit\":2000,\"retention\":{\"every\":0,\"keep_best\":1}}}"
first=$job
submit "{\"kind\":\"ae\",\"name\":\"second\",\"priority\":9,\"depends_on\":[\"first\",\"$first\"],$TINY}"
second=$job
is "$(j .depends_on)" "[\"$first\"]" "a name is settled to an id, once"
post /v1/jobs '{"kind":"ae","depends_on":["nobody"]}'
is "$status $(j '.errors[0].pointer')" "422 #/depends_on/0" "an unknown one is refused"
post /v1/jobs '{"kind":"ae","depends_on":"first"}'
is "$status $(j '.errors[0].pointer')" "422 #/depends_on" "so is what is no list"
req DELETE "/v1/jobs/$first"
is "$status $(j .current | grep -c -E 'queued|running')" "409 1" "a job that has not ended is not deleted"
settle "$second"
is "$state" succeeded "it runs when the other has succeeded"
check "and not before, whatever its priority" [ "$(j .started_at_ms)" -ge "$(get "/v1/jobs/$first" && j .finished_at_ms)" ]
submit '{"kind":"ae","name":"busy","priority":99,"params":{"epochs":100000}}'
busy=$job
submit '{"kind":"ae","name":"third","depends_on":["busy"]}'
third=$job
submit '{"kind":"ae","name":"fourth","depends_on":["third","first"]}'
fourth=$job
req DELETE "/v1/jobs/$first"
is "$status" 409 "a job that is needed is not deleted"
post "/v1/jobs/$busy/cancel" ''
settle "$fourth"
is "$state $(j .stop_reason) $(j .error.code)" "failed dependency_failed dependency_failed" "what waits for one that is cancelled fails, down the chain"
check "and says why" grep -q "$third" "$T/body"
post /v1/jobs '{"kind":"ae","depends_on":["third"]}'
is "$status" 422 "what has failed is not waited for"

# --- retention, lists in pages ---
get "/v1/jobs/$first/checkpoints"
kept=$(j '[.data[].epoch]')
check "the best and the newest two stay ($kept)" [ "$(j '(.data | length) <= 3 and ([.data[-2:][].epoch] == [4,5])')" = true ]
get "/v1/jobs/$second/checkpoints?limit=1"
is "$(j '[.data[].id, .first_id, .last_id, .has_more]')" '["1","1","1",true]' "checkpoints in pages"
get "/v1/jobs/$second/checkpoints?limit=1&after=1"
is "$(j '[.data[].epoch, .has_more]')" '[2,false]' "the next page"
get "/v1/jobs/$second/checkpoints?order=desc"
is "$(j '[.data[].epoch]')" '[2,1]' "the newest first"
get "/v1/jobs/$second/previews"
all=$(j '[.data[].id]')
pages() { # pages ORDER: all ids, two a page
  local after=
  while :; do
    get "/v1/jobs/$second/previews?limit=2&order=$1${after:+&after=$after}"
    j '.data[].id'
    after=$(j .last_id)
    [ "$(j .has_more)" = true ] || break
  done | jq -R . | jq -sc .
}
is "$(pages asc)" "$all" "previews in pages"
is "$(pages desc)" "$(jq -c reverse <<< "$all")" "and backwards"
get "/v1/jobs/$second/previews?after=nothing"
is "$status" 404 "after what is not there"
get "/v1/jobs/$second/previews?order=up"
is "$status" 422 "in an order that is none"

# --- deletion ---
for path in '' /events /metrics /checkpoints /previews; do
  get "/v1/jobs/$second$path"
  [ "$status" = 200 ] || not_ok "$path of the second job" "$status"
done
req DELETE /v1/jobs/second
is "$status" 204 "a job that has ended is deleted"
for path in "jobs/$second" jobs/second "jobs/$second/events" "jobs/$second/previews" "jobs/$second/curves.svg" models/second "models/$second/weights"; do
  get "/v1/$path"
  is "$status" 404 "gone: ${path/$second/ID}"
done
check "and its files" [ ! -e "$D/jobs/$second" ]
req DELETE /v1/jobs/second
is "$status" 404 "and cannot be deleted again"
stop
finish
