#!/usr/bin/env bash
# Submitting, naming, listing, waiting for and cancelling jobs; every refusal names the field and the remedy.
. "$(dirname "$0")/lib.sh"
start --workers 1

# refused JSON STATUS POINTER DETAIL_REGEX
refused() {
  post /v1/jobs "$1"
  if [ "$status" != "$2" ]; then
    not_ok "$2 for $1" "status $status: $body"
  elif ! j '.errors[0] // {pointer: "", detail: .detail} | .pointer + " " + .detail' | grep -qE -- "^$3 .*$4"; then
    not_ok "names the field and the remedy: $1" "wanted: $3 $4
$(cat "$T/body")"
  else
    ok "$2 for $1"
  fi
}
refused '{}' 422 '#/kind' 'ae'
refused '{"kind":"vea"}' 422 '#/kind' 'ae'
refused '{"kind":7}' 422 '#/kind' 'string'
refused '{"kind":"ae","params":{"latent_dim":0}}' 422 '#/params/latent_dim' '1\.\.512, got 0'
refused '{"kind":"ae","params":{"latent_dim":513}}' 422 '#/params/latent_dim' '1\.\.512, got 513'
refused '{"kind":"ae","params":{"latent_dim":"8"}}' 422 '#/params/latent_dim' 'whole number.*"8"'
refused '{"kind":"ae","params":{"latent_dim":8.5}}' 422 '#/params/latent_dim' 'whole number'
refused '{"kind":"ae","params":{"latent_dim":null}}' 422 '#/params/latent_dim' ''
refused '{"kind":"ae","params":{"latnt_dim":8}}' 422 '#/params/latnt_dim' "did you mean 'latent_dim'"
refused '{"kind":"ae","params":{"lr":1e400}}' 400 '' 'line 1, column 34'
refused '{"kind":"ae","params":[]}' 422 '#/params' 'object'
refused '{"kind":"ae","prams":{}}' 422 '#/prams' "did you mean 'params'"
refused '{"kind":"ae","preset":"reprot"}' 422 '#/preset' 'report'
refused '{"kind":"ae","seed":-1}' 422 '#/seed' ''
refused '{"kind":"ae","seed":9007199254740992}' 422 '#/seed' ''
refused '{"kind":"ae","name":"job_x"}' 422 '#/name' 'job_'
refused '{"kind":"ae","name":""}' 422 '#/name' ''
refused "{\"kind\":\"ae\",\"name\":\"$(printf '%0129d' 0)\"}" 422 '#/name' '128'
refused '{"kind":"ae","name":"x.json"}' 422 '#/name' '\.json'
refused '{"kind":"ae","params":{"optimizer":"sgd","momentum":0,"nesterov":true}}' 422 '#/params/nesterov' 'momentum'
refused '{"kind":"ae","priority":1001}' 422 '#/priority' '1000'
refused '{"kind":"ae","dataset":"nope"}' 422 '#/dataset' 'nope'
refused '{"kind":"ae","dataset":"../etc"}' 422 '#/dataset' ''
refused '{"kind":"ae","params":{"kernel":[99]}}' 422 '#/params/kernel/0' '99'
post /v1/jobs '{"kind":"ae","bar":2,"name":"job_x","seed":-1,"preset":"reprot","params":{"latent_dim":0,"foo":1,"lr":"x"}}'
is "$status $(j '[.errors[].pointer] | sort')" \
  '422 ["#/bar","#/name","#/params/foo","#/params/latent_dim","#/params/lr","#/preset","#/seed"]' "every field at fault is told at once"
refused '{"kind":"ae","kind":"ae"}' 400 '#?/?(kind)?' 'kind'
refused '{"kind":"ae"' 400 '' 'line 1'
refused '{"kind":"ae",}' 400 '' 'line 1'
refused '{"kind":"ae"} x' 400 '' ''
refused '' 400 '' ''
refused '[1]' 422 '#?' 'object'
get /v1/jobs
is "$(j '.data|length')" 0 "nothing refused was made"

post '/v1/jobs?validate_only=true' '{"kind":"ae","params":{"latent_dim":3}}'
is "$status" 200 "validate_only is 200"
is "$(j ".estimate.measured")" false "and says that no such job has told its speed yet"
is "$(j '[.params.latent_dim, .params.epochs, (.estimate.parameters > 1000), (.estimate.steps_per_epoch > 100)]')" '[3,50,true,true]' \
  "with resolved params and an estimate"
post '/v1/jobs?validate_only=true' '{"kind":"ae","params":{"latent_dim":0}}'
is "$status" 422 "validate_only refuses as POST does"
get /v1/jobs
is "$(j '.data|length')" 0 "validate_only makes nothing"

# The long one occupies the only worker, so that the others stay queued.
post /v1/jobs '{"kind":"ae"}'
is "$status" 201 "kind alone is enough"
long=$(j .id)
is "$(header Location)" "/v1/jobs/$long" "Location"
is "$(j '[.object, .kind, .preset, .name, .params.epochs, .params.latent_dim, .params.batch_size, .seed >= 0, .priority]')" \
  '["job","ae","default",null,50,8,128,true,0]' "defaults are resolved"
like "$long" '^job_' "an id"
like "$(j .status)" 'queued|running' "a status"
is "$(j '.created_at_ms > 1600000000000')" true "times are Unix milliseconds"
await "/v1/jobs/$long" '.status == "running"'
is "$(j .status)" running "it runs"

submit "{\"kind\":\"ae\",\"name\":\"a b\",\"metadata\":{\"k\":\"v\"},\"preset\":\"report\",$TINY}"
named=$job
is "$(j '[.status, .name, .metadata.k, .preset, .params.epochs]')" '["queued","a b","v","report",2]' "name, metadata, preset, params"
submit "{\"kind\":\"ae\",\"name\":\"twin\",$TINY}"
submit "{\"kind\":\"ae\",\"name\":\"twin\",\"priority\":5,$TINY}"
twin=$job
get "/v1/jobs/$twin"
is "$(j .queue_position)" 1 "a higher priority goes first"
get "/v1/jobs/$named"
is "$(j .queue_position)" 2 "then first come, first served"
get /v1/jobs/a%20b
is "$(j .id)" "$named" "a name works as an id"
get /v1/jobs/twin
is "$(j .id)" "$twin" "a name twice: the newest"
get /v1/jobs/latest
is "$(j .id)" "$twin" "latest"
get /v1/jobs/job_nope
is "$status" 404 "an unknown id is 404"

get '/v1/jobs?limit=2'
is "$(j '[(.data|length), .has_more, .data[0].id == .first_id, .data[1].id == .last_id, .first_id]')" \
  "[2,true,true,true,\"$twin\"]" "a page, newest first"
get "/v1/jobs?limit=2&after=$(j .last_id)"
is "$(j '[.data[].id] == ["'"$named"'","'"$long"'"]')" true "the page after it"
is "$(j .has_more)" false "is the last"
get '/v1/jobs?order=asc&limit=1'
is "$(j '.data[0].id')" "$long" "order=asc"
get '/v1/jobs?status=running'
is "$(j '[.data[].id] == ["'"$long"'"]')" true "by status"
get '/v1/jobs?name=twin&kind=ae'
is "$(j '.data|length')" 2 "by name and kind"
get '/v1/jobs?dataset=fashion-mnist&kind=ae&limit=1'
is "$(j '[(.data|length), .has_more]')" '[1,true]' "by data set and kind"
get '/v1/jobs?dataset=nothing'
is "$status $(j '.data|length')" '200 0' "none of another data set"
for query in limit=0 limit=101 limit=x order=up status=nope after=job_nope "dataset=a&name=b" "dataset=a&study=none"; do
  get "/v1/jobs?$query"
  like "$status" '^4(00|04|22)$' "?$query is refused"
done

post /v1/models/twin/decode '{"z":[[0,0,0,0,0,0,0,0]]}'
is "$status" 409 "a queued job has no model yet"
req POST "/v1/jobs/$named/cancel"
is "$status $(j '[.status, .stop_reason]')" '200 ["cancelled","user_cancel"]' "a queued job is cancelled at once"
req POST "/v1/jobs/$named/cancel"
is "$status" 200 "cancel is idempotent"

begin=$(now_ms)
get "/v1/jobs/$long?wait_s=1"
took=$(($(now_ms) - begin))
is "$(j .status)" running "wait_s answers with the current state at the limit"
check "after $took ms" [ "$took" -ge 900 ]
for wait in -1 601 x; do
  get "/v1/jobs/$long?wait_s=$wait"
  like "$status" '^4(00|22)$' "wait_s=$wait is refused"
done
curl -q -s "$url/v1/jobs/$long?wait_s=60" > "$T/waited" &
waiter=$!
sleep 0.2
req POST "/v1/jobs/$long/cancel"
like "$(j .status)" 'cancel' "a running job is cancelled"
begin=$(now_ms)
wait "$waiter"
is "$(jq -r '.status + " " + .stop_reason' "$T/waited")" "cancelled user_cancel" "who waits is told"
check "soon" [ $(($(now_ms) - begin)) -lt 10000 ]

settle "$twin"
is "$state" succeeded "the next one runs"
is "$(j '[.stop_reason, .progress.epoch, .progress.epochs, .progress.step, .progress.steps, .error, .attempt]')" \
  "[\"completed\",2,2,$((SLOW ? 8 : 30)),$((SLOW ? 8 : 30)),null,1]" "and is counted"
is "$(j '.generalisation_gap | [.metric, (.gap - (.val - .train) | fabs) < 1e-8]')" '["loss",true]' \
  "a generalisation gap"
is "$(j '[.test.loss > 0, .best.metric, .best.value > 0, .metrics.train_loss > 0, (.dataset_sha256|length), .train_s > 0]')" \
  '[true,"val_loss",true,true,64,true]' "and measured"
is "$(j '.started_at_ms >= .created_at_ms and .finished_at_ms >= .started_at_ms')" true "its times are in order"
req POST "/v1/jobs/$twin/cancel"
is "$status $(j '[.current, (.allowed|length)]')" '409 ["succeeded",0]' "a finished job cannot be cancelled: 409"
get "/v1/jobs/$twin/checkpoints"
is "$(j '[.data[].epoch] | sort')" '[1,2]' "a checkpoint for each epoch"
is "$(j '[.data[].metric.name] | unique')" '["val_loss"]' "with what it was worth"
get "$(j '.data[1].url')" -r 0-7
is "$status" 206 "and where its weights are"

# A name may be as long as any in ASCII, whatever its script.
long=$(printf 'ä%.0s' {1..128})
submit "{\"kind\":\"ae\",\"name\":\"$long\",$TINY}"
get "/v1/jobs/$(printf '%%C3%%A4%.0s' {1..128})"
is "$(j .name)" "$long" "128 characters of two bytes are a name"
post "/v1/jobs/$job/cancel" ''

# Acknowledged is on disk.
submit "{\"kind\":\"ae\",\"name\":\"kept\",$TINY}"
crash
start
get /v1/jobs/kept
is "$(j .id)" "$job" "a job acknowledged survives kill -9"
get "/v1/jobs/$twin"
is "$(j .status)" succeeded "so do the others"
stop
finish
