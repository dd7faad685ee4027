#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test_docs.sh -- what the documents say exists, exists: the targets of relative links, the functions, tests and files that are
# named in backquotes, and every verb, option, key and preset of the command lines they print.  What --json prints is told of
# every verb.  Their lines are no wider than those of the sources.
#
#   `room/file.c: name`   a function of src/            `room.file: name`   a case of a test
#   `program.file`        a test without cases          `src/...`           a path, unless it has a placeholder in it
#
# lib.sh sets lfm, work and code, and calls the helpers:
# shellcheck disable=SC2154,SC2317,SC2016,SC2013
# shellcheck source=tests/program/lib.sh
. "$(dirname "$0")/lib.sh"

run true # what a failed check shows
mapfile -t documents < <(find . -name '*.md' -not -path './build*' -not -path './demo-out/*' -not -path './.git/*' | sort)
mapfile -t ours < <(printf '%s\n' "${documents[@]}" | grep -v '^./bench/torch/') # whose options are those of another program
check "there are documents" test "${#ours[@]}" -ge 10

# quoted FILE...: what stands in backquotes, one a line; a quotation may run over the end of a line.
quoted() { cat "$@" | tr '\n' ' ' | grep -oE '`[^`]+`' | tr -d '`'; }

# enough WHAT COUNT: a pattern that no longer matches anything would pass every check.
enough() { check "only $2 $1 were found: the pattern of this test has come apart from the documents" test "$2" -ge "$3"; }

# ---- links -----------------------------------------------------------------------------------------------------
links=0
for document in "${documents[@]}"; do
  while read -r target; do
    links=$((links + 1))
    check "$document links to $target, which is not there" test -e "$(dirname "$document")/$target"
  done < <(grep -oE '\]\([^)]+\)' "$document" | sed -E 's/^\]\(//; s/\)$//; s/#.*//' | grep -vE '^([a-z]+:|$)')
done
enough links "$links" 20

# ---- functions, tests, files ---------------------------------------------------------------------------------------
functions=0
while IFS=: read -r file name; do
  functions=$((functions + 1))
  check "src/$file has no ${name# }" grep -qw -e "${name# }" "src/$file"
done < <(quoted "${documents[@]}" | grep -E '^[a-z]+/[a-z0-9_]+\.[ch]: [a-z0-9_]+$' | sort -u)
enough functions "$functions" 25

cases=0
while IFS='.:' read -r room file name; do
  cases=$((cases + 1))
  check "tests/$room/test_$file.c has no case ${name# }" grep -qE -e "\(${name# }[,)]" "tests/$room/test_$file.c"
done < <(quoted "${documents[@]}" | grep -E '^[a-z]+\.[a-z0-9_]+: [a-z0-9_]+$' | sort -u)
enough cases "$cases" 50

while IFS=. read -r kind name; do
  case $kind in
    program) check "there is no test program.$name" test -e "tests/program/test_$name.sh" ;;
    fuzz) check "there is no test fuzz.$name" test -e "tests/fuzz/fuzz_$name.c" ;;
  esac
done < <(quoted "${documents[@]}" | grep -E '^(program|fuzz)\.[a-z0-9_]+$' | sort -u)

# files_are WHAT FLAG LEAST: of the paths on standard input, of which there are enough, each is as `test FLAG` has it
files_are() {
  local count=0 path
  while read -r path; do
    count=$((count + 1))
    check "of $1, $path is not as test $2 has it" test "$2" "$path"
  done
  enough "$1" "$count" "$3"
}
files_are paths -e 15 < <(
  quoted "${documents[@]}" | grep -E '^(src|app|tests|tools|docs|bench|demo|kit|configs|examples|include)/[^ <>*]*$' | sort -u)
files_are "scripts to run" -x 6 < <(quoted "${documents[@]}" | grep -oE '(bench|demo)/[a-z_]+\.sh' | sort -u)

# ---- lines, as wide as those of the sources; tables, code and pictures are as wide as they are ---------------------------
while read -r line; do
  check "wider than 126 columns: ${line:0:60}" false
done < <(LC_ALL=C.UTF-8 grep -nE '^.{127}' "${documents[@]}" | grep -vE '^[^:]+:[0-9]+:(\||    |!\[)')

# ---- command lines -----------------------------------------------------------------------------------------------
manuals=()
for verb in $("$lfm" --help | awk '/^  [a-z]+ +[a-z]/ && $1 != "lfm" { print $1 }'); do
  "$lfm" "$verb" --help >"$work/$verb"
  manuals+=("$work/$verb")
done

# command_lines FILE...: the lines of code and the words in backquotes that call the program, without comments.
command_lines() {
  { grep -ohE '^    (build/)?lfm .*' "$@"; quoted "$@" | grep -E '^lfm [a-z]'; } | sed -E 's/^ *(build\/)?//; s/ +#.*//'
}

options=0
while read -r _ verb rest; do
  case $verb in -* | help) continue ;; esac
  check "lfm has no verb $verb" test -e "$work/$verb"
  for option in $(grep -oE '(^| )--?[a-z][a-z-]*' <<<"$rest"); do
    options=$((options + 1))
    check "lfm $verb has no option $option" grep -qE -e "^  .*$option( |,|\$)" "$work/$verb"
  done
done < <(command_lines "${ours[@]}" | sort -u)
enough "options of command lines" "$options" 20

# A reader goes from top to bottom, and a folder that holds a run is refused.
for document in README.md docs/*.md; do
  twice=$(grep -E '^    lfm (train|sweep|distill) ' "$document" | grep -oE ' -o [^ ]+' | sort | uniq -d)
  check "$document makes a run twice:$twice" test -z "$twice"
done

# A page that no other names is not found.
for page in docs/*.md docs/decisions/*.md; do
  name=${page##*/}
  if [ "$name" != README.md ]; then check "no document links to $page" grep -qE "\]\(([a-z./]*/)?$name[)#]" "${documents[@]}"; fi
done

# ---- what --json prints ------------------------------------------------------------------------------------------
for verb in $(cd "$work" && grep -lE '^  .*--json' "${manuals[@]##*/}"); do
  check "docs/formats.md does not say what lfm $verb --json prints" grep -qE "^\| \`lfm ${verb}[ \`]" docs/formats.md
done

# told_of FILE: what docs/formats.md tells of the objects that app/FILE.c prints
told_of() {
  case $1 in
    eval_report) sed -n '/^`result.json` is one object/,/^All distances/p' docs/formats.md ;;
    sweep_table) told_of sweep ;;
    json) told_of guard ;; # the object of an accuracy is told there
    *) grep -E "^\| \`lfm $1[ \`]" docs/formats.md ;;
  esac
}

fields=0
for file in app/*.c; do
  verb=$(basename "$file" .c)
  told=$(told_of "$verb" || true)
  while read -r field; do
    fields=$((fields + 1))
    check "docs/formats.md does not tell the field $field of $file" grep -qF "\`$field\`" <<<"$told"
  done < <(grep -ohE 'app_json_[a-z]+\(&?json, [^,]*"' "$file" | grep -oE '"[a-z0-9_]+"' | tr -d '"' | sort -u)
done
enough "fields of JSON" "$fields" 50

# ---- options, keys, presets ----------------------------------------------------------------------------------------
while read -r option; do
  check "no verb has the option $option" grep -qE -e "^  .*$option( |,|\$)" "${manuals[@]}"
done < <(quoted "${ours[@]}" | grep -E '^--[a-z]' | grep -oE '^--[a-z-]+' | sort -u)

while read -r key; do
  [ "$key" = key ] || check "lfm train knows no key $key" grep -qE -e "^  $key +[^ ]" "$work/train"
done < <(grep -ohE -e "--set '?[a-z_.]+=" "${ours[@]}" | sed -E "s/--set '?//; s/=//" | sort -u)

presets=0
while read -r preset; do
  presets=$((presets + 1))
  check "there is no preset $preset" test -e "configs/$preset.yaml"
done < <(cat "${ours[@]}" | tr '\n' ' ' | sed 's/cmake --preset//g' | grep -oE '(--preset|lfm sweep) +[^ `]+' |
  sed -E "s/.* //; s/[].,;:)'\"]+$//" | grep -vE '^[A-Z]+$|\.yaml$' | sort -u)
enough presets "$presets" 8
finish
