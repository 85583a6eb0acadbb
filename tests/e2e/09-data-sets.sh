#!/usr/bin/env bash
# A data set that is not there, one of our own, one that changes under a running job, one that is broken.
. "$(dirname "$0")/lib.sh"
source=$(dirname "$(find /usr/share/datasets -name 'train-images-idx3-ubyte.gz' 2>/dev/null | head -n 1)")

# idx NAME N VALUE: a data set of n constant images of 8x8 and n labels
idx() {
  local folder=$T/sets/$1 n=$2 split
  mkdir -p "$folder"
  for split in train t10k; do
    { printf '\0\0\10\3\0\0\0%b\0\0\0\10\0\0\0\10' "\\0$(printf %o "$n")" && head -c $((n * 64)) /dev/zero | tr '\0' "$3"; } \
      > "$folder/$split-images-idx3-ubyte"
    { printf '\0\0\10\1\0\0\0%b' "\\0$(printf %o "$n")" && head -c "$n" /dev/zero; } > "$folder/$split-labels-idx1-ubyte"
  done
}
small() { echo "{\"kind\":\"ae\",\"dataset\":\"$1\",\"params\":{\"epochs\":${2:-2},\"batch_size\":16,\"channels\":[4],\"kernel\":[3],\"stride\":[2],\"padding\":[1],\"hidden\":[8],\"latent_dim\":2}}"; }

idx own 100 x
start --dataset-dir "$T/sets"
get /v1/datasets
is "$(j '[.data[].name] | index("own") != null')" true "a folder in --dataset-dir is found"
get /v1/datasets/own
is "$status $(j '[.height, .width, .channels]')" '200 [8,8,1]' "its shape"
submit "$(small own)"
settle "$job"
is "$state" succeeded "and trains"
post /v1/jobs "$(small gone)"
is "$status $(j .code) $(j '.errors[0].pointer')" '422 '"$(j .code)"' #/dataset' "a data set that is not there is refused"
like "$(j '.detail, .errors[0].detail')" 'gone' "by name"
get /v1/datasets/gone
is "$status" 404 "and is 404"

# Changed while its job waits to go on.
submit "$(small own 100000)"
await "/v1/jobs/$job" '.progress.epoch > 2'
stop
idx own 100 y
start --dataset-dir "$T/sets"
settle "$job"
is "$state $(j .error.code)" 'failed dataset_changed' "a data set that changed is refused"
like "$(j .error.detail)" 'own' "by name"

# Gone while its job waits to go on.
submit "$(small own 100000)"
await "/v1/jobs/$job" '.status == "running"'
stop
rm -r "$T/sets/own"
start --dataset-dir "$T/sets"
settle "$job"
is "$state" failed "a data set that has gone fails its job"
like "$(j .error.detail)" 'own' "by name"

# Broken files: refused with a reason, and the daemon goes on.
idx short 100 x
truncate -s 1000 "$T/sets/short/train-images-idx3-ubyte"
idx magic 100 x
printf '\1\2\3\4' | dd of="$T/sets/magic/train-images-idx3-ubyte" conv=notrunc status=none
idx huge 100 x
printf '\0\0\10\3\377\377\377\377\377\377\377\377\377\377\377\377' | dd of="$T/sets/huge/train-images-idx3-ubyte" conv=notrunc status=none
idx counts 100 x
printf '\0\0\10\1\0\0\0\62' | dd of="$T/sets/counts/train-labels-idx1-ubyte" conv=notrunc status=none
for name in short magic huge counts; do
  post /v1/jobs "$(small $name)"
  if [ "$status" = 201 ]; then
    job=$(j .id)
    settle "$job"
    is "$state" failed "$name: the job fails"
    like "$(j .error.detail)" 'idx|images|labels|bytes' "$name: with a reason"
  else
    is "$status" 422 "$name: refused"
    like "$body" 'idx|images|labels|bytes' "$name: with a reason"
  fi
done
get /readyz
is "$status" 200 "the daemon goes on"
stop
is "$code" 0 "a clean stop"

# Fashion-MNIST, from another folder.
mkdir -p "$T/far/fashion-mnist"
cp "$source"/*.gz "$T/far/fashion-mnist/"
start --dataset-dir "$T/far"
get /v1/datasets/fashion-mnist
like "$(j '[.. | strings] | join(" ")')" "Trouser|trouser|$T/far" "a --dataset-dir goes before the package"

# Its images, side by side; one by one they make a data set of folders.
shows() { is "$status $(header Content-Type) $(png_size "$T/body")" "200 image/png $1" "$2"; }
get '/v1/datasets/fashion-mnist/images.png?count=12&cols=4&scale=2'
shows 224x168 "a grid of images"
etag=$(header ETag)
get '/v1/datasets/fashion-mnist/images.png?count=12&cols=4&scale=2' -H "If-None-Match: $etag"
is "$status" 304 "that need not be sent twice"
for query in split=dev indices=1,x indices=10000 'indices=1&count=2' count=0 count=4097 offset=10000; do
  get "/v1/datasets/fashion-mnist/images.png?$query"
  is "$status" 422 "$query is refused"
done
get /v1/datasets/nope/images.png
is "$status" 404 "no images of a data set that is not there"
mkdir -p "$T/far/pets"/{train,test}/{cat,dog}
for i in {0..31}; do
  for split in train test; do
    curl -q -sf -o "$T/far/pets/$split/$([ $((i % 2)) = 0 ] && echo cat || echo dog)/$i.png" \
      "$url/v1/datasets/fashion-mnist/images.png?split=$split&indices=$i"
  done
done
get /v1/datasets/pets
is "$(j '[.height, .width, .channels, .classes]')" '[28,28,1,["cat","dog"]]' "folders of PNGs are a data set"
get '/v1/datasets/pets/images.png?split=train&indices=1'
cp "$T/body" "$T/second"
get '/v1/datasets/fashion-mnist/images.png?split=train&indices=1'
check "with the same pixels" cmp -s "$T/body" "$T/second"
submit "$(small pets)"
settle "$job"
is "$state" succeeded "and train"
echo text > "$T/far/pets/train/cat/0.png"
touch "$T/far/pets/train/cat"
post /v1/jobs "$(small pets)"
like "$status $(j .detail)" '^422 .*cat/0.png: not a PNG' "a broken picture is refused by name"
get /v1/datasets/pets/images.png
like "$status $(j .detail)" '^422 .*cat/0.png: not a PNG' "also where its images are asked for"
stop
finish
