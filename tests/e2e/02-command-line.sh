#!/usr/bin/env bash
# Flags, environment, file; exit codes; who may use a data directory and an address.
. "$(dirname "$0")/lib.sh"

# leaves CODE NAME COMMAND...: it ends by itself with this exit code; its output is in $T/out.
leaves() {
  local wanted=$1 name=$2 got=0
  shift 2
  timeout -k 1 20 "$@" > "$T/out" 2>&1 || got=$?
  is "$got" "$wanted" "$name"
}
says() { like "$(cat "$T/out")" "$1" "$2"; }

leaves 0 "--help" "$LATENTD" --help
for flag in --listen --port-file --data-dir --dataset-dir --workers --threads --token-file --allowed-hosts --path-prefix --web-dir \
  --log-level --log-format --config --check-config --print-config --dump-routes --version; do
  says "$flag" "--help names $flag"
done
leaves 0 "--version" "$LATENTD" --version
says '[0-9]+\.[0-9]+\.[0-9]+' "a version"
leaves 0 "--dump-routes" "$LATENTD" --dump-routes
says '^POST[[:space:]]+/v1/jobs[[:space:]]' "routes"

leaves 64 "an unknown flag" "$LATENTD" --wrokers 2
says 'wrokers' "is named"
leaves 64 "a flag without its value" "$LATENTD" --listen
leaves 64 "a stray word" "$LATENTD" serve
leaves 64 "a number that is none" "$LATENTD" --threads two
leaves 64 "a number out of bounds" "$LATENTD" --workers 0

echo 'wrokers = 2' > "$T/bad.conf"
leaves 78 "a bad key in the config file" "$LATENTD" --config "$T/bad.conf" --check-config
says 'wrokers' "is named"
leaves 78 "no config file" "$LATENTD" --config "$T/none.conf" --check-config
leaves 78 "an address for everybody without a token" "$LATENTD" --listen 0.0.0.0:0 --data-dir "$D"
says 'token' "names the remedy"

printf 'workers = 3\nthreads = 1\n' > "$T/good.conf"
leaves 0 "--check-config" "$LATENTD" --config "$T/good.conf" --check-config
leaves 0 "--print-config" env LATENTD_WORKERS=4 "$LATENTD" --config "$T/good.conf" --print-config
says 'workers *= *4' "the environment goes before the file"
says 'threads *= *1' "the file goes before the default"
leaves 0 "--print-config with a flag" env LATENTD_WORKERS=4 "$LATENTD" --config "$T/good.conf" --workers 5 --print-config
says 'workers *= *5' "a flag goes before the environment"

start
is "$(stat -c %a "$D")" 700 "the data directory is private"
is "$(find "$D" -type f ! -perm 600 | head -n 3)" "" "so is every file in it"
leaves 73 "a second daemon on the data directory" "$LATENTD" --listen 127.0.0.1:0 --data-dir "$D"
says "$pid" "is told who has it"
leaves 69 "a second daemon on the address" "$LATENTD" --listen "127.0.0.1:$port" --data-dir "$T/other"
says "$port" "is told which"
get /readyz
is "$status" 200 "the first one goes on"
like "$(cat "$daemon_log")" 'token-file' "one line of the log says who has access, and names --token-file"

# A kill leaves no lock behind.
crash
start
stop
is "$code" 0 "a stale lock is no obstacle"

# timeout(1) and some supervisors signal the process and its group: that is one stop.
start
kill -TERM "$pid"
kill -INT "$pid"
code=0
wait "$pid" 2>/dev/null || code=$?
pid=
is "$code" 0 "two signals at once are one clean stop"

# A step of seconds: the first signal waits for it, the second does not.
start
submit '{"kind":"ae","params":{"kernel":[15],"padding":[7],"channels":[16,16,16],"batch_size":4096,"val_fraction":0}}'
await "/v1/jobs/$job" '.status == "running"'
kill -TERM "$pid"
sleep 0.3
kill -TERM "$pid"
code=0
wait "$pid" 2>/dev/null || code=$?
pid=
is "$code" 143 "a second signal ends it at once"
start
post "/v1/jobs/$job/cancel" ''
crash

echo 0123456789abcdef0123456789abcdef > "$T/token"
chmod 600 "$T/token"
start --token-file "$T/token"
get /v1/info
is "$status" 401 "with a token file, no token is 401"
like "$(header WWW-Authenticate)" Bearer "with WWW-Authenticate"
get '/v1/info?token=x'
is "$status" 401 "also when the query is wrong, too: what a route takes is for those who may use it"
get /v1/info -H 'Authorization: Bearer wrong'
is "$status" 401 "a wrong token is 401"
get /v1/info -H "Authorization: Bearer $(cat "$T/token")"
is "$status" 200 "the token is let in"
get /livez
is "$status" 200 "health needs none"
get /
is "$status" 200 "the page needs none"
is "$(grep -c "$(cat "$T/token")" "$daemon_log")" 0 "the token is not in the log"
stop

"$LATENTD" --data-dir "$D" --listen "unix:$T/socket" >> "$daemon_log" 2>&1 &
pid=$!
for ((i = 0; i < 200; i++)); do if [ -S "$T/socket" ]; then break; else sleep 0.05; fi; done
like "$(curl -q -s --unix-socket "$T/socket" http://localhost/v1/info)" version "a Unix socket serves"
stop
is "$code" 0 "and stops"

start --path-prefix /lab
get /lab/v1/info
is "$status" 200 "--path-prefix"
stop
finish
