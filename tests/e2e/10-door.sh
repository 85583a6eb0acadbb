#!/usr/bin/env bash
# The closed door: framing, hosts, origins, sizes, content types, paths: each a precise refusal, and the daemon goes on.
. "$(dirname "$0")/lib.sh"
trap '' PIPE
start

# raw TEXT (printf escapes): sends it as it is, with a Host line for "@". Sets status and $T/raw, the whole reply.
raw() {
  local text=${1//@/Host: 127.0.0.1:$port\\r\\n}
  exec 3<> "/dev/tcp/127.0.0.1/$port" || return
  # In one piece: who is refused may be cut off while the rest is on its way.
  printf '%b' "$text" > "$T/request"
  cat "$T/request" >&3 2> /dev/null
  timeout "${2:-5}" cat <&3 > "$T/raw" 2> /dev/null
  exec 3>&-
  status=$(head -n 1 "$T/raw" | awk '{print $2}' | tr -d '\r')
}
# refused STATUS_REGEX NAME TEXT: this status, and what follows in the text is not taken for a request. (libmicrohttpd's own
# refusals bear their header twice, so replies are not counted.)
refused() {
  raw "$3"
  like "${status:-closed}" "^($1)\$" "$2"
  is "$(grep -ac '^HTTP/1.1 2' "$T/raw")" 0 "$2: nothing is served"
}
json='Content-Type: application/json\r\n'
two='{}GET /v1/info HTTP/1.1\r\n@\r\n'

raw 'GET /livez HTTP/1.1\r\n@Connection: close\r\n\r\n'
is "$status" 200 "a plain request"
refused 400 "Content-Length and Transfer-Encoding" \
  "POST /v1/jobs HTTP/1.1\r\n@${json}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$two"
refused 400 "two Content-Lengths" "POST /v1/jobs HTTP/1.1\r\n@${json}Content-Length: 2\r\nContent-Length: 40\r\n\r\n$two"
refused 400 "two equal Content-Lengths" "POST /v1/jobs HTTP/1.1\r\n@${json}Content-Length: 2\r\nContent-Length: 2\r\n\r\n$two"
refused '400|501' "Transfer-Encoding: gzip" "POST /v1/jobs HTTP/1.1\r\n@${json}Transfer-Encoding: gzip\r\n\r\n$two"
refused '400|501' "Transfer-Encoding: xchunked" "POST /v1/jobs HTTP/1.1\r\n@${json}Transfer-Encoding: xchunked\r\n\r\n$two"
refused '400|413|closed' "Content-Length: -1" "POST /v1/jobs HTTP/1.1\r\n@${json}Content-Length: -1\r\n\r\n$two"
refused '400|413|closed' "Content-Length: 2x" "POST /v1/jobs HTTP/1.1\r\n@${json}Content-Length: 2x\r\n\r\n$two"
refused '400|413|closed' "Content-Length: 2^64" "POST /v1/jobs HTTP/1.1\r\n@${json}Content-Length: 18446744073709551616\r\n\r\n$two"
refused '400|413|closed' "a broken chunk" "POST /v1/jobs HTTP/1.1\r\n@${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"
refused 413 "a Content-Length too big, before the body" "POST /v1/jobs HTTP/1.1\r\n@${json}Content-Length: 10485760\r\n\r\n"
refused '400|421' "no Host" 'GET /v1/info HTTP/1.1\r\nConnection: close\r\n\r\n'
refused '400|421' "two Hosts" 'GET /v1/info HTTP/1.1\r\n@Host: evil.example\r\nConnection: close\r\n\r\n'
refused '400|404' "%00 in the path" 'GET /v1/info%00x HTTP/1.1\r\n@Connection: close\r\n\r\n'
refused '400|404' "/../ in the path" 'GET /v1/../../etc/passwd HTTP/1.1\r\n@Connection: close\r\n\r\n'
refused '400|404' "%2e%2e in the path" 'GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n@Connection: close\r\n\r\n'
refused '400|404' "a backslash in the path" 'GET /..\\..\\etc HTTP/1.1\r\n@Connection: close\r\n\r\n'
refused '400|404' "a path in an id" 'GET /v1/jobs/..%2f..%2fetc HTTP/1.1\r\n@Connection: close\r\n\r\n'
refused '400|closed' "no HTTP at all" 'hello\r\n\r\n'
refused '405|501' "an unknown method" 'FOO /v1/info HTTP/1.1\r\n@Connection: close\r\n\r\n'
refused '431|414|413' "a header too long" "GET /v1/info HTTP/1.1\r\n@X: $(printf '%070000d' 0)\r\nConnection: close\r\n\r\n"

# A chunked body is counted while it comes.
head -c 1600000 /dev/zero | tr '\0' ' ' > "$T/big"
req POST /v1/jobs -H 'Content-Type: application/json' -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary "@$T/big"
is "$status" 413 "a chunked body too big is 413"

req PUT /v1/jobs
is "$status" 405 "a known method in the wrong place is 405"
like "$(header Allow)" 'GET.*POST|POST.*GET' "with Allow"
req OPTIONS /v1/jobs
is "$status" 204 "OPTIONS is 204"
req HEAD /v1/jobs
is "$status $(header Content-Type)" '200 application/json' "HEAD is GET without a body"

# Hosts
for host in "127.0.0.1:$port" localhost "LOCALHOST:$port" '[::1]' "[::1]:$port" localhost:1234; do
  get /v1/info -H "Host: $host"
  is "$status" 200 "Host $host is let in"
done
for host in evil.example "evil.example:$port" localhost.evil.example localhost. 0.0.0.0 2130706433 user@localhost 127.0.0.1.nip.io '[::1' 127.0.0.1:; do
  get /v1/info -H "Host: $host"
  like "$status" '^(421|400)$' "Host $host is refused"
done
get / -H 'Host: gpu1.lab'
is "$status" 421 "on the page, too"
like "$body" '--allowed-hosts gpu1.lab' "with the remedy"

# Other sites
get /v1/jobs -H 'Sec-Fetch-Site: cross-site'
is "$status" 200 "reading is not refused for its site (without CORS nobody can look)"
for from in 'Sec-Fetch-Site: cross-site' 'Origin: http://evil.example' 'Origin: null' "Origin: http://127.0.0.1:1" "Origin: https://127.0.0.1:$port.evil.example"; do
  post /v1/jobs "{\"kind\":\"ae\",$TINY}" -H "$from"
  is "$status" 403 "POST with $from is 403"
done
post '/v1/jobs?validate_only=true' '{"kind":"ae"}' -H "Origin: $url" -H 'Sec-Fetch-Site: same-origin'
is "$status" 200 "the page's own origin is let in"
req POST /v1/jobs/latest/cancel -H 'Sec-Fetch-Site: cross-site'
is "$status" 403 "also without a body"

# Types and sizes
req POST /v1/jobs -d '{"kind":"ae"}'
is "$status" 415 "curl -d without a type is 415"
like "$body" 'application/json.*--json' "with the remedy"
req POST /v1/jobs -H 'Content-Type: text/plain' -d '{"kind":"ae"}'
is "$status" 415 "text/plain is 415"
req POST '/v1/jobs?validate_only=true' -H 'Content-Type: application/json; charset=utf-8' -d '{"kind":"ae"}'
is "$status" 200 "a charset is let in"
head -c 10485760 /dev/zero | tr '\0' ' ' > "$T/big"
req POST /v1/jobs -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$T/big"
is "$status" 413 "10 MiB is 413"
is "$(j .code)" too_large "and a problem"
get /v1/info -H 'Accept: text/html'
is "$status" 406 "a format that is not there is 406"
get '/v1/jobs?nope=1'
like "$status" '^4(00|22)$' "an unknown query parameter is refused"

# JSON that other readers let through
for text in '{"kind":"ae","params":{"lr":01}}' '{"kind":"ae","params":{"lr":1.}}' '{"kind":"ae","params":{"lr":.1}}' '{"kind":"ae","params":{"lr":NaN}}' \
  '{"kind":"ae","params":{"lr":+1}}' "{'kind':'ae'}" '{"kind":"ae"}}' '{"kind":"a	e"}' '{"kind":"\ud800"}' '{"kind":"\x"}' '{"kind" "ae"}' \
  "$(printf '\357\273\277{"kind":"ae"}')" "$(printf '{"kind":"\377"}')" "$(printf '[%.0s' {1..100})" '{"kind":"ae",/**/"seed":1}'; do
  post '/v1/jobs?validate_only=true' "$text"
  is "$status" 400 "not JSON: $(head -c 40 <<< "$text" | tr -c '[:print:]' '?')"
done
post '/v1/jobs?validate_only=true' '{"KIND":"ae"}'
is "$status" 422 "keys are taken to the letter"
post '/v1/jobs?validate_only=true' '{"kind":"ae\u0000x"}'
like "$status" '^4(00|22)$' "\\u0000 does not cut a text short"

# Headers of every reply
for path in / /v1/info /nope /livez; do
  get "$path"
  is "$(header X-Content-Type-Options) $(header Referrer-Policy | grep -c .) $(header Content-Security-Policy | grep -c .) $(header Access-Control-Allow-Origin)" \
    'nosniff 1 1 ' "$path: nosniff, Referrer-Policy, CSP, no CORS"
done

get /v1/jobs
is "$(j '.data|length')" 0 "nothing was made by any of it"
get /readyz
is "$status" 200 "the daemon goes on"
stop
is "$code" 0 "and stops cleanly"

start --allowed-hosts gpu1.lab,gpu2.lab
get /v1/info -H 'Host: gpu2.lab:80'
is "$status" 200 "--allowed-hosts lets them in"
get /v1/info -H 'Host: gpu3.lab'
is "$status" 421 "and no others"
stop
finish
