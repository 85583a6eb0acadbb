#!/bin/sh
# Prints C: embed.sh TABLE FILE...: the files' bytes, taken in by the assembler, and the rows of TABLE (server/asset.h).
set -eu
table=$1
shift
echo '#include "server/asset.h"'
i=0
for file in "$@"; do
  printf '__asm__(".section .rodata\\n.balign 16\\n.global %s_%d\\n%s_%d:\\n.incbin \\"%s\\"\\n%s_%d_end:\\n.global %s_%d_end\\n.byte 0\\n.previous\\n");\n' \
    "$table" "$i" "$table" "$i" "$file" "$table" "$i" "$table" "$i"
  printf 'extern const unsigned char %s_%d[], %s_%d_end[];\n' "$table" "$i" "$table" "$i"
  i=$((i + 1))
done
echo "const struct asset ${table}[] = {"
i=0
for file in "$@"; do
  name=${file#web/}
  case $name in
    */web/*) name=${name##*/web/} ;;
    build/* | core/*) name=${name##*/} ;;
    deploy/*) name=docs/${name#deploy/} ;;
  esac
  printf '\t{"%s", %s_%d, %s_%d_end},\n' "$name" "$table" "$i" "$table" "$i"
  i=$((i + 1))
done
printf '\t{0, 0, 0},\n};\n'
