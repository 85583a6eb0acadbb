#!/usr/bin/env bash
# Idempotency-Key: replies are cut at any byte, requests repeated, the daemon killed between them: each key makes one job.
. "$(dirname "$0")/lib.sh"
COUNT=${COUNT:-100} CLIENTS=4 KILLS=${KILLS:-2}

start --workers 1
# It keeps the only worker busy, so that the others wait.
submit '{"kind":"ae","name":"ahead","priority":1000,"params":{"epochs":100000}}'

keyed() { post /v1/jobs "$2" -H "Idempotency-Key: $1"; }

# --- one key ---
keyed one '{"kind":"ae","name":"one"}'
is "$status $(header Idempotent-Replayed)" "201 " "a key that is new makes a job"
first=$body location=$(header Location)
is "$location" "/v1/jobs/$(j .id)" "and says where it is"
post "/v1/jobs/$(j .id)/cancel" '{}'
keyed one '{"kind":"ae","name":"one"}'
is "$status $(header Idempotent-Replayed) $(header Location)" "201 true $location" "the same again: no other job"
is "$body" "$first" "and the first reply, whatever has become of the job"
keyed one '{"kind":"ae","name":"two"}'
is "$status $(j .code)" "422 idempotency_key_reused" "another request under that key is refused"
for bad in '' 'a b' "$(printf 'x%.0s' {1..256})"; do
  req POST /v1/jobs -H 'Content-Type: application/json' --data '{"kind":"ae"}' -H "Idempotency-Key;" -H "Idempotency-Key: $bad"
  is "$status $(j .detail | cut -c 1-25)" "422 Idempotency-Key must be 1" "no key: '${bad:0:10}'"
done
keyed broken '{"kind":"ae","nmae":"x"}'
is "$status" 422 "a request that is refused"
keyed broken '{"kind":"ae","name":"broken"}'
is "$status" 201 "leaves its key free"
keyed dry '{"kind":"ae"}'
before=$(j .id)
req POST '/v1/jobs?validate_only=true' -H 'Content-Type: application/json' --data '{"kind":"vae"}' -H 'Idempotency-Key: dry'
is "$status" 200 "a trial run needs no key"
keyed dry '{"kind":"ae"}'
is "$(j .id)" "$before" "and takes none"

# --- many, over kills ---
# ask KEY BYTES: sends the request, reads so many bytes of the reply, hangs up.
ask() {
  local json="{\"kind\":\"ae\",\"name\":\"$1\",\"priority\":-1}"
  { exec 3<> "/dev/tcp/127.0.0.1/$(cat "$T/port" 2> /dev/null)"; } 2> /dev/null || return 1
  printf 'POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "${#json}" "$json" >&3 2> /dev/null && head -c "$2" <&3 2> /dev/null
  exec 3>&-
}
# client FIRST: every CLIENTS-th key. Three cut replies, then until one is whole; that reply's id into $T/ids.
client() {
  local i try reply
  trap '' PIPE
  for ((i = $1; i < COUNT; i += CLIENTS)); do
    for try in 1 2 3; do ask "many-$i" $((RANDOM % 3000)) > /dev/null; done
    for ((try = 0; try < 600; try++)); do
      reply=$(ask "many-$i" 100000 | tail -n 1 | jq -r .id 2> /dev/null)
      if [[ $reply == job_* ]]; then break; fi
      sleep 0.05
    done
    echo "$reply"
  done > "$T/ids.$1"
}
clients=()
for ((c = 0; c < CLIENTS; c++)); do
  client "$c" &
  clients+=($!)
done
for ((k = 0; k < KILLS; k++)); do
  sleep "0.$((RANDOM % 5 + 1))"
  crash
  start --workers 1
done
wait "${clients[@]}"
cat "$T"/ids.* | sort -u > "$T/ids"
is "$(grep -c '^job_' "$T/ids")" "$COUNT" "$COUNT keys over $KILLS kills: each has its own job"
for ((after = 0; ; )); do
  get "/v1/jobs?limit=100&order=asc$([ "$after" = 0 ] || echo "&after=$after")"
  j '.data[] | select(.name // "" | startswith("many-")) | .id' >> "$T/there"
  after=$(j .last_id)
  [ "$(j .has_more)" = true ] || break
done
is "$(sort "$T/there")" "$(cat "$T/ids")" "and there are no others: exactly $COUNT jobs"
stop
finish
