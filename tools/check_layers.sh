#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fails when a file includes a room, or an outside header, that src/layers.txt does not allow it.
set -u
breaches=0
breach() { echo "$1"; breaches=$((breaches + 1)); }

# Outside headers that belong to one room: whoever else includes them breaks the law.
declare -A may outside
while IFS=: read -r room rooms headers; do
  room=${room// /}
  may[$room]=" $room $rooms "
  outside[$room]=$headers
done < <(grep '^[a-z]' src/layers.txt)
guarded=$(for room in "${!outside[@]}"; do echo "${outside[$room]}"; done)

for room in "${!may[@]}"; do
  folder=src/$room
  [ -d "$folder" ] || folder=$room
  for file in "$folder"/*.[ch]; do
    [ -e "$file" ] || continue
    while read -r header; do
      case $header in
        */*) [ -d "src/${header%%/*}" ] && [[ ${may[$room]} != *" ${header%%/*} "* ]] && breach "$file includes $header, but src/layers.txt does not let $room see ${header%%/*}" ;;
      esac
      for word in $guarded; do
        [[ $header == *"$word"* ]] && [[ ${outside[$room]} != *"$word"* ]] && breach "$file includes $header, which src/layers.txt keeps for another room"
      done
    done < <(sed -n 's/^ *# *include *[<"]\([^>"]*\)[>"].*/\1/p' "$file")
  done
done
for file in app/*.[ch] examples/*.c; do
  [ -e "$file" ] || continue
  while read -r header; do
    [ -d "src/${header%%/*}" ] && [[ $header == */* ]] && breach "$file includes $header: only lfm.h is public"
  done < <(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file")
done
[ "$breaches" -eq 0 ] && echo "layers: every include follows src/layers.txt"
exit $((breaches > 0))
