#!/usr/bin/env bash
# A run as an animation, and all there is of it in one tar, from which it can be repeated.
# shellcheck disable=SC2016 # jq has variables of its own
. "$(dirname "$0")/lib.sh"
start
submit '{"kind":"vae","name":"m","seed":5,"params":{"epochs":5,"train_limit":2000,"latent_dim":2}}'
first=$job
settle "$job"

# chunks FILE: each chunk's type in order, and whether its CRC is right.
chunks() {
  /usr/bin/python3 - "$1" << 'END'
import struct, sys, zlib
data, at, types = open(sys.argv[1], "rb").read(), 8, []
while at < len(data):
    (size,) = struct.unpack(">I", data[at:at + 4])
    kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
    (crc,) = struct.unpack(">I", data[at + 8 + size:at + 12 + size])
    types.append(kind.decode() + ("" if crc == zlib.crc32(kind + body) else "!"))
    at += 12 + size
print(*types)
END
}

# --- an animation
get "/v1/jobs/m/previews?limit=100"
n=$(j '[.data[] | select(.kind == "reconstructions")] | length')
get /v1/jobs/m/reconstructions.png
size=$(png_size "$T/body")
get /v1/jobs/m/timelapse.png
is "$status $(header Content-Type) $(png_size "$T/body")" "200 image/png ${size%x*}x$((${size#*x} + 12))" "an animation, with a line beneath each picture"
is "$n $(chunks "$T/body" | tr ' ' '\n' | grep -c fcTL)" "6 6" "of the untrained net and of each epoch"
like "$(chunks "$T/body")" '^IHDR acTL fcTL IDAT( IDAT)*( fcTL fdAT( fdAT)*){5} IEND$' "its chunks are whole and in order"
etag=$(header ETag)
get /v1/jobs/m/timelapse.png -H "If-None-Match: $etag"
is "$status" 304 "cacheable"
get '/v1/jobs/m/timelapse.png?kind=samples&max_frames=3&scale=2&delay_ms=50'
is "$(chunks "$T/body" | tr ' ' '\n' | grep -c fcTL)" 3 "thinned"
while IFS='|' read -r query detail; do
  get "/v1/jobs/m/timelapse.png?$query"
  like "$status $(j .detail)" "^422 $detail" "$query is refused"
done << 'END'
kind=movie|kind must be one that job_[a-z0-9]* has previews of \(reconstructions, samples\), got 'movie'
delay_ms=1|delay_ms must be a whole number 10..10000
max_frames=1001|max_frames must be a whole number 2..1000
scale=17|scale must be a whole number 1..16
END
submit '{"kind":"ae","name":"blind","params":{"epochs":1,"train_limit":500,"preview_every_epochs":0}}'
settle "$job"
get '/v1/jobs/blind/timelapse.png?kind=samples'
like "$status $(j .detail)" "^404 $job has no previews yet" "a run without pictures has none"

# --- a bundle
get /v1/jobs/m/bundle.tar
is "$status $(header Content-Type)" '200 application/x-tar' "a bundle"
cp "$T/body" "$T/m.tar"
is "$(header Content-Disposition)" "attachment; filename=\"$first.tar\"" "has a name"
is "$(tar tf "$T/m.tar" | tr '\n' ' ')" "$(tar tf "$T/m.tar" | LC_ALL=C sort | tr '\n' ' ')" "sorted"
is "$(tar tvf "$T/m.tar" --full-time --utc | awk '{print $1, $2, $4}' | sort -u)" '-rw-r--r-- 0/0 1970-01-01' "nobody's, of no time"
get /v1/jobs/m/bundle.tar
is "$(sha256sum < "$T/body")" "$(sha256sum < "$T/m.tar")" "the same bytes again"
tar xf "$T/m.tar" -C "$T"
folder=$T/$first
is "$(cd "$folder" && find . -type f ! -path './previews/*' | sed 's|^\./||' | LC_ALL=C sort | tr '\n' ' ')" \
  'README.txt curves.png curves.svg job.json metrics.csv pytorch.py reconstructions.png samples.png timelapse.png weights/best.safetensors weights/last.safetensors ' \
  "what a vae has"
is "$(find "$folder/previews" -type f | wc -l)" 12 "and its previews"
is "$(jq -r '[.id, .seed, .params.latent_dim] | tostring' "$folder/job.json")" "[\"$first\",5,2]" "the job"
is "$(wc -l < "$folder/metrics.csv") $(head -c 8 "$folder/metrics.csv" | cut -d, -f 1)" "6 epoch" "a line per epoch"
is "$(sha256sum < "$folder/weights/last.safetensors" | cut -c 1-64)" "$(weights_sum m)" "the weights"
get "/v1/jobs/m"
sha=$(j .dataset_sha256)
check "the README names the data set's sha256" grep -q "$sha" "$folder/README.txt"
torch=$(for python in /usr/bin/python3 python3; do "$python" -c 'import torch, numpy' 2>/dev/null && echo "$python" && break; done)
if [ -n "$torch" ] && [ -z "$SLOW" ]; then
  "$torch" -c 'import sys, numpy as np; np.save(sys.argv[1], np.full((2, 1, 28, 28), 0.5, np.float32))' "$T/x.npy"
  (cd "$folder" && "$torch" pytorch.py weights/best.safetensors "$T/x.npy" "$T/y.npy" > /dev/null)
  is "$?" 0 "its pytorch.py loads its weights"
else
  skip "its pytorch.py loads its weights" "no PyTorch here, or a build that is too slow for it"
fi

# The line of the README repeats the run.
line=$(sed -n 's/^    curl --json/curl -q -s --json/p' "$folder/README.txt")
like "$line" "http://127.0.0.1:$port/v1/jobs$" "the README has a line of curl"
again=$(sh -c "$line" | jq -r .id)
settle "$again"
is "$(weights_sum "$again")" "$(weights_sum m)" "which makes the same weights"
post /v1/jobs/m/fork '{"checkpoint":2,"params":{"lr":0.0005},"name":"forked"}'
settle "$(j .id)"
get /v1/jobs/forked/bundle.tar
line=$(tar xOf "$T/body" --wildcards '*/README.txt' | sed -n 's/^    curl --json/curl -q -s --json/p')
again=$(sh -c "$line" | jq -r .id)
settle "$again"
is "$(weights_sum "$again")" "$(weights_sum forked)" "and that of a fork, too"

# --- other kinds, other states
submit "{\"kind\":\"classifier\",\"name\":\"c\",\"params\":{\"epochs\":1,\"train_limit\":300}}"
settle "$job"
get /v1/jobs/c/bundle.tar
is "$(tar tf "$T/body" | sed "s|^$job/||" | LC_ALL=C sort | tr '\n' ' ')" \
  'README.txt confusion.csv confusion.json confusion.png curves.png curves.svg job.json metrics.csv pytorch.py weights/best.safetensors weights/last.safetensors ' \
  "what a classifier has"
submit '{"kind":"ae","name":"now","params":{"epochs":500,"latent_dim":2}}'
await /v1/jobs/now '.progress.epoch >= 1'
get /v1/jobs/now/bundle.tar
is "$status" 200 "of a run that goes on"
like "$(tar tf "$T/body")" 'weights/last\.safetensors' "with the newest weights"
get /v1/jobs/now/timelapse.png
is "$status" 200 "and its animation"
req POST /v1/jobs/now/cancel
settle now
is "$(find "$D" -maxdepth 1 -name '.bundle*' | wc -l)" 0 "nothing is left over"
get /v1/jobs/nope/bundle.tar
is "$status" 404 "of no job"
stop
is "$code" 0 "a clean stop"
finish
