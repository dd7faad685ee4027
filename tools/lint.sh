#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Layout (clang-format, .clang-format) and faults (clang-tidy, .clang-tidy), both at zero warnings.
#
# usage: tools/lint.sh [format] [FILE]...     "format" rewrites instead of checking; without files: all of ours
#        LFM_BUILD (default build) is a configured build folder, whose compile commands clang-tidy reads
set -u
build=${LFM_BUILD:-build}
mode=check
[ "${1:-}" != format ] || { mode=format; shift; }
for tool in clang-format $([ $mode = format ] || echo clang-tidy); do
  command -v "$tool" >/dev/null || { echo "lint: $tool is missing: apt-get install $tool"; exit 1; }
done

if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(git ls-files '*.c' '*.h'); fi
if [ $mode = format ]; then exec clang-format -i "${files[@]}"; fi

failed=0
clang-format --dry-run -Werror "${files[@]}" || failed=1

# Tests and examples are held to the compiler's warnings only: clang-tidy reads the library and the program.
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep -E '^(src|app)/.*\.c$')
[ -e "$build/compile_commands.json" ] || cmake -B "$build" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >/dev/null || exit 1
# One file a run: clang-tidy 14 carries state from file to file (false reports of an uninitialised va_list).
analyse() {
  local hints=--extra-arg=-include$PWD/tools/lint_hints.h
  [ "$2" != src/core/status.c ] || hints=--extra-arg=-DNO_HINTS # it defines what the hints describe
  clang-tidy --quiet -p "$1" "$hints" "$2" 2> >(grep -v 'warnings\? generated' >&2)
}
export -f analyse
if [ ${#sources[@]} -gt 0 ]; then
  printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'analyse "$@"' - "$build" '{}' || failed=1
fi
[ $failed -eq 0 ] && echo "lint: ${#files[@]} files, no warnings"
exit $failed
