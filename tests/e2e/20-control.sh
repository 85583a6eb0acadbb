#!/usr/bin/env bash
# Pause, resume, stop, cancel (by force), retry, a checkpoint now, the queue's pause: each answers when it has had its effect, where
# it makes no sense it is refused with what may be asked instead; whatever was asked of a run, it ends with the bits of one that
# nobody disturbed.
. "$(dirname "$0")/lib.sh"

ask() { post "/v1/jobs/$1/$2" "${3:-}"; }
NET='"latent_dim":2,"channels":[4],"kernel":[3],"stride":[2],"padding":[1],"hidden":[8],"batch_size":32'
# run EPOCHS IMAGES [FIELDS]
run() { submit "{\"kind\":\"ae\",\"seed\":4${3:+,$3},\"params\":{$NET,\"epochs\":$1,\"train_limit\":$2}}"; }
statuses() { get "/v1/jobs/$1/events?limit=1000" && jq -r '[.data[] | select(.event == "status" or .event == "end") | .event[:1] + ":" + .status] | join(" ")' "$T/body"; }

start --workers 1 --threads 1
run 60 2000
settle "$job"
calm=$(fingerprint "$job")
is "$(j '[.allowed, .wish, .time_limit_s, .max_retries]')" '[[],null,null,0]' "of a job that has ended nothing more is asked"

# A run that waits is held.
run 100000 3000 '"name":"long"'
long=$job
await "/v1/jobs/$long" '.progress.step > 0'
is "$(j '.allowed | sort')" '["cancel","checkpoint","pause","stop"]' "what may be asked of a job that runs"
run 60 2000 '"name":"shaken"'
shaken=$job
is "$(j '.allowed | sort')" '["cancel","pause"]' "and of one that waits"
ask "$shaken" pause
is "$status $(j '[.status, .queue_position, .progress.eta_ms]')" '200 ["paused",null,null]' "a job that waits is held"
ask "$shaken" pause
is "$status" 200 "again is nothing new"
ask "$shaken" stop
is "$status $(j '[.code, .current, (.allowed | sort)]')" '409 ["conflict","paused",["cancel","resume"]]' "what has not begun has nothing to keep"
like "$(j .detail)" 'has not begun.*cancel' "which is said"
ask "$shaken" retry
is "$status $(j .current)" '409 paused' "nor does it need a retry"
ask "$shaken" checkpoint
is "$status" 409 "nor a checkpoint"

# One that runs frees its worker.
ask "$long" pause
is "$status $(j '[.status, .progress.step > 0, .progress.eta_ms]')" '200 ["paused",true,null]' "a run is paused"
at=$(j .progress.step)
ask "$shaken" resume
is "$status" 200 "another one goes on"
await "/v1/jobs/$shaken" '.status == "running"'
is "$(j .status)" running "at the free worker"
for pause in 1 2 3; do
  ask "$shaken" pause
  [ "$(j .status)" = paused ] || break
  ask "$shaken" resume
  await "/v1/jobs/$shaken" ".attempt > $pause"
done
settle "$shaken"
is "$state" succeeded "paused and resumed three times it ends"
is "$(fingerprint "$shaken")" "$calm" "with the same bits"
check "no train second is lost or doubled ($(j .train_s))" [ "$(j '.train_s > 0 and .train_s * 1000 <= .finished_at_ms - .started_at_ms + 100')" = true ]
like "$(statuses "$shaken")" '^s:queued s:paused s:queued s:running s:pausing s:paused s:queued s:running' "each change is an event"
get "/v1/jobs/$long"
is "$(j '[.status, .progress.step]')" "[\"paused\",$at]" "a pause lasts"
crash
start --workers 1 --threads 1
get "/v1/jobs/$long"
is "$(j .status)" paused "also over a kill"
post "/v1/models/$long/decode" '{"z":[[0,0]]}'
is "$status $(header Latentd-Step)" "200 $at" "a paused job decodes from where it stands"
req PATCH "/v1/jobs/$long" -H 'Content-Type: application/merge-patch+json' --data-binary '{"params":{"lr":0.0005},"priority":3}'
is "$status $(j '[.params.lr, .priority]')" '200 [0.0005,3]' "and takes changes"

# The queue.
post /v1/queue/pause ''
is "$status $(j '[.paused, .jobs.paused]')" '200 [true,1]' "the queue is paused"
ask "$long" resume
run 2 2000
next=$job
crash
start --workers 1 --threads 1
sleep 0.3
get /v1/queue
is "$(j '[.paused, .jobs.queued, .jobs.running, .next]')" "[true,2,0,[\"$long\",\"$next\"]]" "over a kill, too; the next ones are told in order"
req PATCH "/v1/jobs/$next" -H 'Content-Type: application/merge-patch+json' --data-binary '{"priority":9}'
get /v1/queue
is "$(j .next)" "[\"$next\",\"$long\"]" "a priority reorders at once"
post /v1/queue/resume ''
is "$status $(j .paused)" '200 false' "it goes on"
settle "$next"
await "/v1/jobs/$long" ".status == \"running\" and .progress.step > $at"

# Now.
ask "$long" checkpoint
is "$status $(j '.step > 0 and .bytes > 1000')" '200 true' "a checkpoint now"
step=$(j .step)
get "/v1/jobs/$long/events?limit=1000"
is "$(j "[.data[] | select(.event == \"checkpoint\" and .step == $step)] | length")" 1 "an event tells of it"
ask "$long" checkpoint '{"force":true}'
is "$status $(j '.errors[0].pointer')" '422 #/force' "an unknown field"
ask "$long" cancel '{"force":"yes"}'
is "$status $(j '.errors[0].pointer')" '422 #/force' "a wrong one"

# End now, keep the model.
ask "$long" stop
is "$status $(j '[.status, .stop_reason, .test.loss > 0, .progress.eta_ms, .progress.step < .progress.steps]')" \
  '200 ["succeeded","user_stop",true,0,true]' "stopped, it keeps its model"
step=$(j .progress.step)
post "/v1/models/$long@last/decode" '{"z":[[0,0]]}'
is "$status $(header Latentd-Step)" "200 $step" "of the step at which it was stopped"
ask "$long" stop
is "$status" 200 "again is nothing new"
ask "$long" retry
is "$status $(j '[.current, .allowed]')" '409 ["succeeded",[]]' "there is nothing to retry"

# Cancelled and tried again: the end in the middle is not the end of the stream.
run 6 12000
again=$job
await "/v1/jobs/$again" '.progress.step > 20'
ask "$again" checkpoint
curl -q -sN -H 'Accept: text/event-stream' "$url/v1/jobs/$again/events" > "$T/stream" &
stream=$!
ask "$again" cancel
is "$status $(j .status)" '200 cancelled' "a cancel answers when it is"
wait "$stream"
is "$(grep -c '^event: end' "$T/stream")" 1 "a stream ends with it"
ask "$again" retry
like "$status $(j '[.status, .error, .finished_at_ms, .stop_reason]')" '^200 ."(queued|running)",null,null,null.' "it is tried again"
curl -q -sN -H 'Accept: text/event-stream' "$url/v1/jobs/$again/events" > "$T/stream" &
stream=$!
await "/v1/jobs/$again" '.progress.epoch > 0'
ask "$again" cancel '{"force":true}'
is "$status $(j '[.status, .stop_reason]')" '200 ["cancelled","user_cancel"]' "by force"
wait "$stream"
is "$(grep -c '^event: end' "$T/stream")" 2 "a stream goes on over the first end"
ask "$again" retry
ask "$again" retry
is "$status" 200 "a retry that is repeated is one"
settle "$again"
is "$state $(j .attempt)" 'succeeded 3' "attempts are counted"
first=$(fingerprint "$again")
run 6 12000
settle "$job"
is "$(fingerprint "$job")" "$first" "with the bits of one that was left in peace"
is "$(statuses "$again" | grep -o 'e:[a-z]*' | tr '\n' ' ')" 'e:cancelled e:cancelled e:succeeded ' "each end is told"

# Limits.
run 100000 3000 '"time_limit_s":1,"max_retries":2'
settle "$job"
is "$state $(j '[.stop_reason, .time_limit_s, .max_retries, .train_s >= 1, .train_s < 5, .test.loss > 0]')" \
  'succeeded ["time_limit",1,2,true,true,true]' "a run ends when its time is up, and keeps its model"
for bad in '"time_limit_s":-1' '"max_retries":11' '"max_retries":1.5'; do
  post /v1/jobs "{\"kind\":\"ae\",$bad}"
  is "$status" 422 "$bad is refused"
done
stop
finish
