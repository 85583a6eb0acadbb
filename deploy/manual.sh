#!/bin/sh
# Prints a page of the manual as HTML: manual.sh NAME FILE.md. cmark-gfm makes it of Markdown; around it come the header, the
# contents of the manual (web/docs/contents.txt), those of the page, and the pages before and after it.
set -eu
name=$1
body=$(cmark-gfm --unsafe -e table -e strikethrough -e autolink "$2")
printf '%s\n' "$body" | awk -v name="$name" -v contents=web/docs/contents.txt -f deploy/manual.awk
