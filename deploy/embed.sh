#!/bin/sh
# Prints C for the files named: bytes taken in by the assembler, and the rows of `assets` (server/asset.h).
set -eu
echo '#include "server/asset.h"'
i=0
for file in "$@"; do
  printf '__asm__(".section .rodata\\n.balign 16\\n.global asset_%d\\nasset_%d:\\n.incbin \\"%s\\"\\nasset_%d_end:\\n.global asset_%d_end\\n.byte 0\\n.previous\\n");\n' \
    "$i" "$i" "$file" "$i" "$i"
  printf 'extern const unsigned char asset_%d[], asset_%d_end[];\n' "$i" "$i"
  i=$((i + 1))
done
echo 'const struct asset assets[] = {'
i=0
for file in "$@"; do
  name=${file#web/}
  case $name in build/*) name=${name##*/} ;; esac
  printf '\t{"%s", asset_%d, asset_%d_end},\n' "$name" "$i" "$i"
  i=$((i + 1))
done
printf '\t{0, 0, 0},\n};\n'
