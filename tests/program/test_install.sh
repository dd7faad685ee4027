# SPDX-License-Identifier: MIT
#
# test_install.sh -- what `cmake --install` leaves is enough: the example compiles against it through pkg-config, runs with
# the shared library, and the installed program runs.
. "$(dirname "$0")/lib.sh"
build=$(dirname "$lfm")
source=$PWD
for tool in cmake pkg-config cc; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
if grep -q '^LFM_SANITIZE:[A-Z]*=.' "$build/CMakeCache.txt"; then
  echo "skipped: a library built with a sanitizer does not load into a program built without"
  exit 77
fi
cd "$work"

expect_exit 0 cmake --install "$build" --prefix "$work/prefix"
pc=$(find prefix -name lfm.pc)
check "a pkg-config file is installed" test -n "$pc"
export PKG_CONFIG_PATH="$work/$(dirname "$pc")"
expect_exit 0 pkg-config --cflags --libs lfm
read -ra flags <out
check "the flags point into the prefix" grep -qF "$work/prefix" out
expect_exit 0 cc -std=c11 -Wall -Wextra -Werror "$source/examples/train_and_sample.c" "${flags[@]}" -lm -o example
if command -v c++ >/dev/null; then
  printf '#include <lfm.h>\nint main() { lfm_progress p = {}; p.phase = LFM_PHASE_PUSH; return p.phase != LFM_PHASE_PUSH; }\n' >client.cc
  expect_exit 0 c++ -std=c++11 -Wall -Wextra -Werror client.cc "${flags[@]}" -o client
  expect_exit 0 ./client
fi
library=$(find "$work/prefix" -name 'liblfm.so' -printf '%h')
export LD_LIBRARY_PATH=$library
expect_exit 0 ./example moons
check "it drew rows" grep -q '^drew 500 rows' out
expect_exit 0 prefix/bin/lfm info moons
expect_exit 0 nm -D --defined-only "$library/liblfm.so"
while read -r _ _ name; do
  check "the exported name $name is declared in lfm.h" grep -qw "$name" prefix/include/lfm.h
done <out
finish
