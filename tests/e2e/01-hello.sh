#!/usr/bin/env bash
# An empty daemon: how fast it is there, what it says of itself, what it costs, and how it leaves.
. "$(dirname "$0")/lib.sh"

begin=$(now_ms)
start
took=$(($(now_ms) - begin))
# The promise is 300 ms on a machine with nothing else to do; a test says only that nothing is waited for.
check "ready in $took ms" [ "$took" -lt 5000 ]

for path in /livez /readyz /healthz '/readyz?verbose'; do
  get "$path"
  is "$status" 200 "$path is 200"
done

get /v1/info
is "$status" 200 "/v1/info is 200"
for key in version commit cpu limits; do like "$(j 'keys|join(" ")')" "$key" "/v1/info tells $key"; done
is "$(header Content-Type)" application/json "JSON is called JSON"
is "$(tail -c 1 "$T/body" | od -An -tx1 | tr -d ' ')" 0a "JSON ends with a newline"
like "$(header X-Request-Id)" . "a reply bears X-Request-Id"
is "$(header X-Content-Type-Options)" nosniff "nosniff"
is "$(header Access-Control-Allow-Origin)" "" "no CORS"
get '/v1/info?pretty'
check "?pretty indents" [ "$(wc -l < "$T/body")" -gt 3 ]

get /v1/jobs
is "$(j '[.object, (.data|length), .has_more]')" '["list",0,false]' "an empty list of jobs"
get /v1/models
is "$(j '[.object, (.data|length)]')" '["list",0]' "an empty list of models"
get /v1/kinds
is "$(j '.data|map(.kind)|index("ae") != null')" true "the kinds have ae"
get /v1/kinds/ae
is "$(j '[.kind, .default_preset]')" '["ae","default"]' "kind ae, its default preset"
is "$(j '.params.properties.latent_dim | [.type, .default, .minimum, .maximum]')" '["integer",8,1,512]' "latent_dim's schema"
is "$(j '.params.additionalProperties')" false "params are closed"
is "$(j '[.presets[].name] | contains(["default","report"])')" true "presets default and report"
is "$(j '[.series[].name] | contains(["train_loss","val_loss"])')" true "series train_loss and val_loss"
is "$(j '[.series[] | select(.name == "train_loss") | .help, .formula, .unit, .reference_lines] | all(. != null)')" true \
  "a series has help, formula, unit and reference lines"
get /v1/kinds/nope
is "$status" 404 "an unknown kind is 404"

get /v1/datasets
is "$(j '.data[] | select(.name == "fashion-mnist") | [.height, .width, .channels]')" '[28,28,1]' "Fashion-MNIST is there"
get /v1/datasets/fashion-mnist
is "$(j '.sha256|length')" 64 "the data set has its sha256"
is "$(j '.classes|length')" 10 "and ten class names"

get /metrics
like "$(header Content-Type)" '^text/plain; version=0.0.4' "Prometheus' content type"
like "$body" '^latentd_build_info\{' "latentd_build_info"
like "$body" '^latentd_http_requests_total\{' "latentd_http_requests_total"
get /v1/openapi.json
is "$(j .openapi)" 3.1.0 "the API document"

get /
is "$status" 200 "the dashboard is there"
like "$(header Content-Type)" '^text/html' "as HTML"
like "$(header Content-Security-Policy)" "default-src 'self'" "with a strict CSP"
req HEAD /v1/info
is "$status" 200 "HEAD works"
for page in '/?from=bookmark' '/app.js?v=2'; do
  get "$page"
  is "$status" 200 "the page opens with a query that is not ours: $page"
done
for path in '/v1/nope?x=1' '/v1/models/x/nope.png?n=20'; do
  get "$path"
  is "$status" 404 "nothing there is 404, whatever is asked of it: $path"
done
get '/v1/info?x=1'
is "$status" 422 "an address of the API takes its own parameters only"
get /nope
is "$status" 404 "no such route is 404"
is "$(header Content-Type)" application/problem+json "and a problem"
is "$(j '[.status, (.title|length > 0), (.code|length > 0), .instance, (.request_id|length > 0)]')" \
  '[404,true,true,"/nope",true]' "a problem has status, title, code, instance, request_id"

# Idle: data set not loaded (asking for its sha256 above may have), nothing running.
if [ -z "$SLOW" ]; then
  stop
  start
  kb=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status")
  check "idle memory $kb KiB (< 64 MiB)" [ "$kb" -lt 65536 ]
  ticks() { awk '{print $14 + $15}' "/proc/$pid/stat"; }
  before=$(ticks)
  sleep 2
  spent=$(($(ticks) - before))
  check "idle CPU $spent ticks in 2 s" [ "$spent" -le 2 ]
fi

begin=$(now_ms)
stop
is "$code" 0 "SIGTERM is a clean stop"
check "at once" [ $(($(now_ms) - begin)) -lt 5000 ]
finish
