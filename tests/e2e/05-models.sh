#!/usr/bin/env bash
# Decode, sample, encode and reconstruct on a finished job and on one that trains; weights and the PyTorch script.
. "$(dirname "$0")/lib.sh"
start
submit '{"kind":"ae","name":"m","params":{"epochs":2,"train_limit":'$((SLOW ? 1000 : 4000))',"latent_dim":2}}'
settle "$job"

get /v1/models/m
is "$(j '[.id, .kind, .epoch, .latent_dim, .image]')" "[\"$job\",\"ae\",2,2,[1,28,28]]" "a model says what it is"
is "$(j .abilities)" '["encode","decode","sample"]' "what it can do"
is "$(j '[.z.mean, .z.std, .z.q01, .z.q99 | length]')" '[2,2,2,2]' "and where its codes lie"
is "$(j '[.z.q01, .z.mean, .z.q99] | transpose | all(.[0] < .[1] and .[1] < .[2])')" true "between q01 and q99"
get /v1/models
is "$(j '[.data[].id] | index("'"$job"'")')" 0 "models are listed"
get /v1/models/nope
is "$status" 404 "an unknown model is 404"

post /v1/models/m/decode '{"z":[[0,0],[1,-1]]}'
is "$status $(j '[.shape, (.images|length), (.images[0]|length)]')" '200 [[2,28,28],2,784]' "decode as JSON"
is "$(j '.images | flatten | all(. >= 0 and . <= 1)')" true "pixels are in [0,1]"
like "$(header Latentd-Epoch) $(header Latentd-Step)" '^2 [0-9]+$' "Latentd-Epoch and -Step"
pixels=$(j '.images[0]|tostring')
post /v1/models/m@2/decode '{"z":[[0,0]]}'
is "$(j '.images[0]|tostring')" "$pixels" "@2 is the second epoch; one vector decodes as two do"
post /v1/models/m@1/decode '{"z":[[0,0]]}'
check "@1 differs" [ "$(j '.images[0]|tostring')" != "$pixels" ]
is "$(header Latentd-Epoch)" 1 "and says so"
get /v1/models/m@9
is "$status" 404 "@9 was never reached"
post /v1/models/m/decode.png '{"z":[[0,0],[1,-1]],"cols":2}'
like "$(png_size "$T/body")" '^[5-6][0-9]x[2-3][0-9]$' "decode as a PNG of two"
post /v1/models/m/decode '{"z":[[0,0]]}' -H 'Accept: image/png'
is "$(header Content-Type)" image/png "by Accept"
post /v1/models/m/decode.npy '{"z":[[0,0],[1,-1]]}'
is "$(head -c 6 "$T/body" | od -An -tx1 | tr -d ' ')" 934e554d5059 "decode as npy"
like "$(head -c 128 "$T/body" | tr -d '\0')" "'descr': '<f4'.*\(2, (1, )?28, 28\)" "of float32"

get '/v1/models/m/decode.png?z=0,0'
is "$status $(png_size "$T/body")" '200 28x28' "decode by GET"
etag=$(header ETag)
like "$etag" '^"' "with an ETag"
get '/v1/models/m/decode.png?z=0,0' -H "If-None-Match: $etag"
is "$status $(wc -c < "$T/body")" '304 0' "304"
get '/v1/models/m/decode.png?z=0,0;1,1&scale=4'
like "$(png_size "$T/body")" '^2[0-9]+x11[0-9]$' "two vectors, scaled"

# refused PATH JSON DETAIL_REGEX
refused() {
  post "$1" "$2"
  like "$status $(j .detail) $(j '.errors[0].detail')" "^4[012][0-9] .*$3" "$1 $2"
}
refused /v1/models/m/decode '{"z":[[1,2,3]]}' 'model m has 2 latent units, got 3 values'
refused /v1/models/latest/decode '{"z":[[1,2],[1]]}' 'model job_[a-z0-9]+ has 2 latent units, got 1 value'
refused /v1/models/m/decode '{"z":[]}' ''
refused /v1/models/m/decode '{"z":[["a","b"]]}' ''
refused /v1/models/m/decode '{"z":[[null,0]]}' ''
refused /v1/models/m/decode '{"zz":[[0,0]]}' "did you mean 'z'"
refused /v1/models/m/decode '{}' 'z'
refused /v1/models/m/sample '{"count":0}' ''
refused /v1/models/m/sample '{"count":100000}' ''
refused /v1/models/m/sample '{"distribution":"cauchy"}' 'gaussian_fit'
refused /v1/models/m/encode '{"images":[[1,2,3]]}' '784'
refused /v1/models/m/encode '{"dataset":"fashion-mnist","split":"test","indices":[10000]}' ''
refused /v1/models/m/encode '{"dataset":"fashion-mnist","split":"tset","indices":[1]}' ''
refused /v1/models/m/reconstruct '{}' ''
get '/v1/models/m/decode.png?z=0,0,0'
like "$status $body" '^422 .*has 2 latent units, got 3 values' "GET with a vector too long"
get '/v1/models/m/decode.png?z=a,b'
like "$status" '^4(00|22)$' "GET with letters"
get '/v1/models/m/decode.png'
like "$status" '^4(00|22)$' "GET without a vector"

post /v1/models/m/sample '{"count":4,"seed":7}'
is "$(j '[.shape, (.images|length)]')" '[[4,28,28],4]' "samples"
first=$(sha256sum < "$T/body")
post /v1/models/m/sample '{"count":4,"seed":7}'
is "$(sha256sum < "$T/body")" "$first" "the same seed gives the same bytes"
post /v1/models/m/sample '{"count":4,"seed":8}'
check "another one does not" [ "$(sha256sum < "$T/body")" != "$first" ]
for d in normal uniform gaussian_fit gmm auto; do
  post /v1/models/m/sample "{\"count\":2,\"seed\":1,\"distribution\":\"$d\"}"
  is "$status" 200 "distribution $d"
done
# A finished run keeps a mixture fitted to the codes of what it serves; other weights get one when they are asked for it.
get /v1/models/m
is "$(j '[.auto_distribution, [.distributions[].name]]')" '["gmm",["normal","uniform","gaussian_fit","gmm"]]' "auto is gmm"
get /v1/models/m@1
is "$(j .auto_distribution)" gaussian_fit "of a checkpoint that keeps none it is gaussian_fit"
post /v1/models/m@1/sample '{"count":4,"seed":7}'
first=$(sha256sum < "$T/body")
post /v1/models/m@1/sample '{"count":4,"seed":7,"distribution":"gmm"}'
is "$status" 200 "which gets one on demand"
check "another than gaussian_fit" [ "$(sha256sum < "$T/body")" != "$first" ]
post /v1/models/m@1/sample '{"count":4,"seed":7}'
is "$(sha256sum < "$T/body")" "$first" "what auto means does not change by that"
post /v1/models/m/sample '{"count":4,"seed":7}'
first=$(sha256sum < "$T/body")
post /v1/models/m/sample '{"count":4,"seed":7,"distribution":"gmm"}'
is "$(sha256sum < "$T/body")" "$first" "auto draws from the mixture"
crash
start
post /v1/models/m/sample '{"count":4,"seed":7}'
is "$(sha256sum < "$T/body")" "$first" "after a crash the same bytes"
rm "$D"/jobs/*/codes/*
crash
start
get /v1/models/m
is "$(j .auto_distribution)" gaussian_fit "without the file auto is gaussian_fit"
post /v1/models/m/sample '{"count":4,"seed":7,"distribution":"gmm"}'
is "$(sha256sum < "$T/body")" "$first" "and the fit on demand finds the same mixture"

get '/v1/models/m/samples.png?count=9&seed=1'
like "$(png_size "$T/body")" '^[0-9]+x[0-9]+$' "samples.png"

some='{"dataset":"fashion-mnist","split":"test","indices":[0,1]}'
post /v1/models/m/encode "$some"
is "$(j '[.z|length, (.[0]|length)]')" '[2,2]' "encode"
is "$(j 'keys')" '["z"]' "of an ae: points"
z=$(j '.z')
post /v1/models/m/decode "{\"z\":$z}"
decoded=$(j '.images|tostring')
post /v1/models/m/reconstruct "$some"
is "$(j '.images|tostring')" "$decoded" "reconstruct = decode of encode"
post /v1/models/m/encode.npy "$some"
is "$(head -c 6 "$T/body" | od -An -tx1 | tr -d ' ')" 934e554d5059 "encode as npy"
get "/v1/jobs/m/checkpoints/1/weights"
is "$status" 200 "an epoch's weights"

# An image as JSON, npy and PNG is the same image.
post /v1/models/m/decode.npy '{"z":[[0.5,0.5]]}'
cp "$T/body" "$T/image.npy"
post /v1/models/m/decode '{"z":[[0.5,0.5]]}'
jq -c '{images}' "$T/body" > "$T/image.json"
req POST /v1/models/m/encode -H 'Content-Type: application/json' --data-binary "@$T/image.json"
z=$(j '.z')
req POST /v1/models/m/encode -H 'Content-Type: application/x-npy' --data-binary "@$T/image.npy"
is "$(j '.z')" "$z" "an npy body"
get '/v1/models/m/decode.png?z=0.5,0.5'
cp "$T/body" "$T/image.png"
req POST /v1/models/m/encode -H 'Content-Type: image/png' --data-binary "@$T/image.png"
is "$status $(j '.z[0]|length')" '200 2' "a PNG body"
req POST /v1/models/m/encode -H 'Content-Type: image/png' --data-binary 'not a picture'
like "$status" '^4(00|22)$' "a PNG body that is none"
head -c 200 "$T/image.npy" > "$T/short.npy"
req POST /v1/models/m/encode -H 'Content-Type: application/x-npy' --data-binary "@$T/short.npy"
like "$status" '^4(00|22)$' "an npy body cut short"

get /v1/models/m@
like "$status $(j .detail)" "^422 .*best, last" "an empty checkpoint is refused"
get /v1/jobs/m/checkpoints/best/weights
is "$status" 200 "weights"
like "$(header Latentd-Epoch) $(header Latentd-Step)" '^[1-9][0-9]* [1-9][0-9]*$' "weights bear their epoch and step"
etag=$(header ETag)
cp "$T/body" "$T/weights"
length=$(od -An -tu8 -N8 "$T/weights" | tr -d ' ')
tail -c +9 "$T/weights" | head -c "$length" | jq . > "$T/names.json"
is "$(jq -c '[.["encoder.0.weight"].dtype, .["encoder.0.weight"].shape]' "$T/names.json")" '["F32",[8,1,3,3]]' "named as PyTorch does"
is "$(jq -c '[keys[] | select(test("^(encoder|decoder|__metadata__)") | not)]' "$T/names.json")" '[]' "the model only"
is "$(jq -c '.__metadata__ | has("dataset_sha256") and has("seed") and has("params") and has("kind")' "$T/names.json")" true "with metadata"
get /v1/jobs/m/checkpoints/best/weights -H "If-None-Match: $etag"
is "$status" 304 "weights are cacheable"
get /v1/jobs/m/checkpoints/best/weights -H 'Range: bytes=8-23'
is "$status $(wc -c < "$T/body")" '206 16' "a range"
is "$(cat "$T/body")" "$(tail -c +9 "$T/weights" | head -c 16)" "of the same bytes"
get /v1/models/m/weights
is "$(sha256sum < "$T/body")" "$(sha256sum < "$T/weights")" "the model serves the best ones"
get /v1/models/m/pytorch.py
like "$body" 'nn\.Sequential' "pytorch.py"
like "$body" "curl -o weights.safetensors http://127.0.0.1:$port/v1/models/$job/weights" "says where its weights are"

# Walks: from a code to another, however it is named; an autoencoder's are straight unless asked otherwise.
post /v1/models/m/interpolate '{"from":{"z":[0,0]},"to":{"z":[2,4]},"steps":3}'
is "$(j '[.z, .shape]')" '[[[0,0],[1,2],[2,4]],[3,28,28]]' "a walk has its ends and the middle"
walked=$(j '.images[1]|tostring')
post /v1/models/m/decode '{"z":[[1,2]]}'
is "$(j '.images[0]|tostring')" "$walked" "and its images are their codes'"
post /v1/models/m/interpolate '{"from":{"z":[2,0]},"to":{"z":[0,2]},"steps":3,"mode":"slerp"}'
is "$(j '.z[1] | map(. - 1.41421356 | fabs < 1e-6)')" '[true,true]' "slerp goes around"
post /v1/models/m/sample '{"count":2,"seed":3}'
drawn=$(j '.z[0]')
post /v1/models/m/encode '{"dataset":"fashion-mnist","split":"test","indices":[7]}'
seventh=$(j '.z[0]')
post /v1/models/m/interpolate '{"from":{"seed":3},"to":{"index":7},"steps":2}'
is "$(j '.z')" "[$drawn,$seventh]" "a seed is what samples draw first, an index a test image"
post /v1/models/m/interpolate '{"from":{"class":"Bag"},"to":{"index":0,"split":"train"},"steps":2}'
bag=$(j '.z[0]')
like "$bag" '^\[-?[0-9.e-]+,-?[0-9.e-]+\]$' "a class is a code"
post '/v1/models/m/interpolate.png?scale=2' '{"from":{"class":"Bag"},"to":{"class":"Trouser"},"steps":6}'
is "$(png_size "$T/body")" 336x56 "a strip"
post /v1/models/m/interpolate.npy '{"from":{"seed":1},"to":{"seed":2}}'
like "$(head -c 128 "$T/body" | tr -d '\0')" "\(10, 28, 28\)" "ten images as npy"
while IFS='|' read -r sent pointer detail; do
  post /v1/models/m/interpolate "$sent"
  like "$status $(j '[.errors[0].pointer, .detail]')" "^422 .*\"$pointer\".*$detail" "$sent is refused"
done << 'END'
{"to":{"seed":1}}|#/from|is missing: an object with one of z, seed, index, class
{"from":{"seed":1}}|#/to|is missing
{"from":{"seed":1,"index":2},"to":{"seed":1}}|#/from|must name one code
{"from":{"sed":1},"to":{"seed":1}}|#/from/sed|did you mean
{"from":{"z":[1]},"to":{"seed":1}}|#/from/z|has 2 latent units, got 1 value
{"from":{"z":[1,"a"]},"to":{"seed":1}}|#/from/z/1|a number
{"from":{"seed":1},"to":{"index":10000}}|#/to/index|999
{"from":{"seed":1},"to":{"index":0,"split":"val"}}|#/to/split|train or test
{"from":{"seed":1},"to":{"class":"bag"}}|#/to/class|'Bag'
{"from":{"seed":1},"to":{"seed":2},"steps":1}|#/steps|2..10000
{"from":{"seed":1},"to":{"seed":2},"mode":"arc"}|#/mode|lerp or slerp
END

# A variational autoencoder: codes are distributions, whose means are decoded.
submit '{"kind":"vae","name":"v","params":{"epochs":2,"train_limit":'$((SLOW ? 1000 : 4000))',"latent_dim":2}}'
settle "$job"
is "$state" succeeded "a vae"
get /v1/models/v
is "$(j '[.kind, .latent_dim, .auto_distribution, (.z.mean|length)]')" '["vae",2,"normal",2]' "says what it is"
get '/v1/jobs/v/metrics?by=epoch'
is "$(j '.series | [.train_loss, .train_recon, .train_kl, .val_loss, .val_recon, .val_kl | .value | length]')" '[2,2,2,2,2,2]' "its series"
sums='[.series | [.train_loss, .train_recon, .train_kl], [.val_loss, .val_recon, .val_kl] | map(.value) | transpose[]]'
is "$(j "$sums | all((.[0] / (.[1] + .[2]) - 1 | fabs) < 1e-6)")" true "its loss is squared error + KL"
post /v1/models/v/encode "$some"
is "$(j '[keys, .z == .mu, (.logvar|map(length))]')" '[["logvar","mu","z"],true,[2,2]]' "encode tells means and log variances"
mu=$(j '.mu')
post /v1/models/v/decode "{\"z\":$mu}"
decoded=$(j '.images|tostring')
post /v1/models/v/reconstruct "$some"
is "$(j '.images|tostring')" "$decoded" "reconstruct = decode of the means"
post /v1/models/v/encode.npy "$some"
like "$(head -c 128 "$T/body" | tr -d '\0')" "\(2, 2\)" "npy has the codes alone"
post /v1/models/v/interpolate '{"from":{"z":[2,0]},"to":{"z":[0,2]},"steps":3}'
is "$(j '.z[1] | map(. - 1.41421356 | fabs < 1e-6)')" '[true,true]' "around, where codes are normal"
post /v1/models/v/sample '{"count":4,"seed":7}'
first=$(sha256sum < "$T/body")
post /v1/models/v/sample '{"count":4,"seed":7,"distribution":"normal"}'
is "$(sha256sum < "$T/body")" "$first" "auto is normal"
post /v1/models/v/sample '{"count":4,"seed":7,"distribution":"gaussian_fit"}'
check "not gaussian_fit" [ "$(sha256sum < "$T/body")" != "$first" ]

torch=$(for python in /usr/bin/python3 python3; do "$python" -c 'import torch, numpy' 2>/dev/null && echo "$python" && break; done)
if [ -n "$torch" ] && [ -z "$SLOW" ]; then
  many="{\"dataset\":\"fashion-mnist\",\"split\":\"test\",\"indices\":[$(seq -s, 0 63)]}"
  "$torch" - "$T" << 'END'
import gzip, glob, sys, numpy as np
path = glob.glob("/usr/share/datasets/**/t10k-images-idx3-ubyte.gz", recursive=True)[0]
images = np.frombuffer(gzip.open(path).read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)[:64]
np.save(sys.argv[1] + "/images.npy", (images / np.float32(255)).astype(np.float32))
END
  # Running statistics, dropout, gated units, group norms; of a Bernoulli model probabilities.
  submit '{"kind":"ae","name":"b","params":{"epochs":1,"train_limit":2000,"norm":"batch","dropout":0.2,"dropout2d":0.1}}'
  settle "$job"
  submit '{"kind":"vae","name":"g","params":{"epochs":1,"train_limit":2000,"norm":"group","activation":"glu","likelihood":"bernoulli"}}'
  settle "$job"
  submit '{"kind":"vae","name":"n","preset":"mlp-nll","params":{"epochs":1,"train_limit":2000}}'
  settle "$job"
  for model in m v b g n; do
    for file in weights pytorch.py; do
      get "/v1/models/$model/$file"
      cp "$T/body" "$T/$file"
    done
    post "/v1/models/$model/reconstruct.npy" "$many"
    cp "$T/body" "$T/ours.npy"
    check "$model: pytorch.py runs" "$torch" "$T/pytorch.py" "$T/weights" "$T/images.npy" "$T/theirs.npy"
    difference=$("$torch" -c 'import sys, numpy as np
a, b = (np.load(f).reshape(64, 784) for f in sys.argv[1:])
print("%.1e" % np.abs(a - b).max(), int(np.abs(a - b).max() <= 1e-5))' "$T/ours.npy" "$T/theirs.npy")
    is "${difference#* }" 1 "$model: PyTorch's reconstructions differ by ${difference% *} (<= 1e-5)"
  done
else
  skip "pytorch.py agrees with reconstruct" "no PyTorch here, or a build that is too slow for it"
fi

# While it trains.
submit '{"kind":"ae","name":"now","params":{"epochs":500,"latent_dim":2}}'
await /v1/models/now '.kind == "ae"'
is "$status" 200 "a model that trains is served"
step=0
for _ in 1 2 3 4 5 6; do
  get '/v1/models/now/decode.png?z=0,0'
  [ "$status" = 200 ] && [ "$(header Latentd-Step)" -gt "$step" ] && step=$(header Latentd-Step)
  sleep 0.4
done
check "and moves on (step $step)" [ "$step" -gt 0 ]
is "$(png_size "$T/body")" 28x28 "it decodes"
post /v1/models/now/sample '{"count":3,"seed":1}'
is "$status" 200 "and samples"
post /v1/models/now/reconstruct "$some"
is "$status" 200 "and reconstructs"
req POST /v1/jobs/now/cancel
settle now
stop
is "$code" 0 "a clean stop"
finish
