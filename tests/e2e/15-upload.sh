#!/usr/bin/env bash
# Data sets that come over the API: colour PNGs by class, replaced, in use, refused, removed; and what is learnt from them.
. "$(dirname "$0")/lib.sh"

# pngs FOLDER N SIDE [SEED]: n colour images of each of two classes for training, n/2 for testing: red ones and blue ones.
pngs() {
  node - "$@" << 'END'
const { mkdirSync, writeFileSync } = require('fs');
const { deflateSync } = require('zlib');
const [, , folder, n, side, seed = '0'] = process.argv;
const table = Array.from({ length: 256 }, (_, i) => { for (let k = 0; k < 8; k++) i = i & 1 ? (i >>> 1) ^ 0xedb88320 : i >>> 1; return i >>> 0; });
const crc = (bytes) => ~bytes.reduce((sum, byte) => table[(sum ^ byte) & 255] ^ (sum >>> 8), -1) >>> 0;
const chunk = (type, data) => {
  const body = Buffer.concat([Buffer.from(type), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length);
  body.copy(out, 4);
  out.writeUInt32BE(crc(body), body.length + 4);
  return out;
};
const size = Number(side);
for (const [split, count] of [['train', Number(n)], ['test', n / 2]]) {
  ['red', 'blue'].forEach((name, c) => {
    mkdirSync(`${folder}/${split}/${name}`, { recursive: true });
    for (let i = 0; i < count; i++) {
      const rows = Buffer.alloc(size * (1 + 3 * size), Number(seed));
      for (let y = 0; y < size; y++) {
        rows[y * (1 + 3 * size)] = 0;
        for (let x = 0; x < size; x++) rows[y * (1 + 3 * size) + 1 + 3 * x + 2 * c] = (x * (i % 7) + y * 8) & 255;
      }
      const head = Buffer.from([0, 0, 0, size, 0, 0, 0, size, 8, 2, 0, 0, 0]);
      writeFileSync(`${folder}/${split}/${name}/${i}.png`, Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
        chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]));
    }
  });
}
END
}
# put NAME FILE [CURL ARGUMENT...]
put() { req PUT "/v1/datasets/$1" -T "$2" -H 'Content-Type: application/x-tar' "${@:3}"; }
colour() { od -An -tu1 -j25 -N1 "$1" | tr -d ' '; } # of a PNG: 0 gray, 2 RGB

if ! command -v node > /dev/null; then
  skip "uploads" "no node to make pictures"
  finish
fi
pngs "$T/pets" 40 32
pngs "$T/other" 40 32 9
tar -C "$T" -cf "$T/pets.tar" pets
tar -C "$T/other" -czf "$T/other.tgz" .
mkdir -p "$T/sets/beside" "$D/datasets/.incoming-abc/train"
cp -r "$T/pets"/* "$T/sets/beside/"
start --dataset-dir "$T/sets"
check "what a kill left of an upload is swept" [ ! -e "$D/datasets/.incoming-abc" ]

put pets "$T/pets.tar"
is "$status $(header Location)" '201 /v1/datasets/pets' "an upload is a data set"
is "$(j '[.name, .height, .width, .channels, .classes, .splits, .uploaded]')" \
  '["pets",32,32,3,["blue","red"],{"train":80,"test":40},true]' "with the folders' names as classes"
is "$(j '[.class_counts.train, .class_counts.test] | map(add) + [(.[0] | length)]')" '[80,40,2]' "and how many images each has"
sum=$(j .sha256)
get /v1/datasets/pets
is "$status $(j .sha256)" "200 $sum" "it is found"
get '/v1/datasets/pets/images.png?count=4'
is "$status $(colour "$T/body")" '200 2' "its pictures are in colour"
put pets "$T/pets.tar"
is "$status $(j .sha256)" "200 $sum" "the same again changes nothing"
put pets "$T/other.tgz"
is "$status $(j '.sha256 != "'"$sum"'"')" '200 true' "another in its place, packed"
put pets "$T/pets.tar"
is "$status $(j .sha256)" "200 $sum" "and back"

# Learn from it; everything that shows an image shows it in colour.
submit '{"kind":"ae","name":"rgb","dataset":"pets","params":{"epochs":1,"latent_dim":3,"batch_size":16}}'
settle "$job"
is "$state" succeeded "a job trains on it"
for path in decode.png?z=0,0,0 samples.png?count=4 decode.png?z=0,0,0\&scale=2; do
  get "/v1/models/rgb/$path"
  is "$status $(colour "$T/body")" '200 2' "$path in colour"
done
for path in reconstructions.png samples.png 'reconstructions.png?scale=2' previews/1/reconstructions.png previews/0/samples.png?scale=3; do
  get "/v1/jobs/rgb/$path"
  is "$status $(colour "$T/body")" '200 2' "$path in colour"
done
post /v1/models/rgb/decode '{"z":[[0,0,0],[1,1,1]]}'
is "$(j .shape) $(j '.images[0] | flatten | length')" '[2,3,32,32] 3072' "decoded as numbers"
req POST /v1/models/rgb/encode -H 'Content-Type: image/png' --data-binary "@$T/pets/test/red/3.png"
is "$status $(j '.z[0] | length')" '200 3' "a PNG encodes"
one=$(j .z)
post /v1/models/rgb/encode '{"dataset":"pets","split":"test","indices":[27]}'
is "$(j .z)" "$one" "as the same image of the data set does"
req POST /v1/models/rgb/reconstruct.png -H 'Content-Type: image/png' --data-binary "@$T/pets/test/red/3.png"
is "$status $(colour "$T/body")" '200 2' "and is reconstructed in colour"
req POST /v1/models/rgb/encode -H 'Content-Type: image/png' --data-binary "@$T/body"
like "$status $(j .detail)" '^(200|422) ' "an image of another size is told so"

# In use.
submit '{"kind":"ae","dataset":"pets","params":{"epochs":100000,"latent_dim":2}}'
await "/v1/jobs/$job" '.progress.step > 0'
put pets "$T/other.tgz"
is "$status" 409 "what a running job needs is not replaced"
like "$(j .detail)" "$job" "by name"
put pets "$T/pets.tar"
is "$status" 200 "but by its own bytes it is"
req DELETE /v1/datasets/pets
is "$status" 409 "nor removed"
req POST "/v1/jobs/$job/cancel"
settle "$job"
req DELETE /v1/datasets/pets
is "$status" 204 "afterwards it is"
get /v1/datasets/pets
is "$status" 404 "and gone"
req DELETE /v1/datasets/pets
is "$status" 404 "which can be said again"

# Not ours to change.
put beside "$T/pets.tar"
like "$status $(j .detail)" '^409 .*was not uploaded' "a folder of --dataset-dir is not replaced"
req DELETE /v1/datasets/beside
is "$status" 409 "nor removed"
put .hidden "$T/pets.tar"
is "$status" 422 "a name that is none"

# Refused, with a reason and without a trace.
echo 'T-shirt' > "$T/names"
mkdir -p "$T/bad/train/cat" "$T/bad/test/cat"
cp "$T/pets/train/red/1.png" "$T/bad/train/cat/"
ln -s /etc/passwd "$T/bad/test/cat/1.png"
tar -C "$T/bad" -cf "$T/link.tar" .
tar -P -cf "$T/absolute.tar" "$T/names"
tar -C "$T" -cf "$T/text.tar" names
while read -r file code words; do
  put bad "$T/$file"
  like "$status $(j .detail)" "^$code .*$words" "$file is refused"
done << 'END'
link.tar 422 'test/cat/1.png', which is a link
absolute.tar 422 an absolute path
text.tar 422 holds neither
names 400 no tar archive
END
req PUT /v1/datasets/bad -T "$T/pets.tar" -H 'Content-Type: application/json'
is "$status" 415 "another type is refused"
truncate -s $((64 << 20 | 1)) "$T/large.tar"
put bad "$T/large.tar"
is "$status" 413 "a body of more than 64 MiB is refused"
is "$(ls -A "$D/datasets")" '' "nothing is left of them"
get /v1/info
is "$(j '.limits | [.upload_bytes, .unpacked_bytes > 0]')" '[67108864,true]' "the limits are listed"

# labels.txt names the classes of IDX files.
mkdir "$T/idx"
for split in train t10k; do
  { printf '\0\0\10\3\0\0\0\20\0\0\0\10\0\0\0\10' && head -c 1024 /dev/zero; } > "$T/idx/$split-images-idx3-ubyte"
  { printf '\0\0\10\1\0\0\0\20' && printf '\0\1%.0s' {1..8}; } > "$T/idx/$split-labels-idx1-ubyte"
done
printf 'zero\nGrün\n' > "$T/idx/labels.txt"
gzip "$T/idx/train-images-idx3-ubyte"
tar -C "$T/idx" -cf "$T/idx.tar" .
put named "$T/idx.tar"
is "$status $(j '[.height, .channels, .classes]')" '201 [8,1,["zero","Grün"]]' "IDX files with labels.txt"
printf 'nought\none\n' > "$T/idx/labels.txt"
tar -C "$T/idx" -cf "$T/idx.tar" .
put named "$T/idx.tar"
get /v1/datasets/named
is "$(j .classes)" '["nought","one"]' "other names for the same images"
stop
is "$code" 0 "a clean stop"
start
get /v1/datasets/named
is "$status" 200 "it is there after a restart"
stop
finish
