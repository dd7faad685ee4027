# SPDX-License-Identifier: MIT
#
# pictures.sh -- made-up pictures for the tests of the program, sourced behind lib.sh.

# bytes BYTE...: as they are.
bytes() { local text; printf -v text '\\x%02x' "$@"; printf "$text"; }

# idx NAME N SIDE BYTE...: pictures as IDX; labels NAME 0 1 0 1 ... beside them.
idx() {
  local labels=() i
  for ((i = 0; i < $2; i++)); do labels+=($((i % 2))); done
  { bytes 0 0 8 3 0 0 0 "$2" 0 0 0 "$3" 0 0 0 "$3"; bytes "${@:4}"; } >"$1-images-idx3-ubyte"
  { bytes 0 0 8 1 0 0 0 "$2"; bytes "${labels[@]}"; } >"$1-labels-idx1-ubyte"
}

# pictures NAME N SIDE [FIRST]: class 0 has lines across, class 1 lines down; another FIRST, others of the kind.  N below 256.
pictures() {
  local values=() i x y first=${4:-0}
  for ((i = first; i < first + $2; i++)); do
    for ((y = 0; y < $3; y++)); do
      for ((x = 0; x < $3; x++)); do
        values+=($(((i % 2 ? x : y) / 2 % 2 * (80 + i * 7 % 101) + (i * i * 7 + (x + 3) * (y + 1) * i * 13 + x * 17) % 97 / 2)))
      done
    done
  done
  idx "$1" "$2" "$3" "${values[@]}"
}

# noise NAME N SIDE: pictures of nothing.
noise() {
  local values=() i
  for ((i = 0; i < $2 * $3 * $3; i++)); do values+=($(((i * i * 31 + i * 7919) % 1009 % 256))); done
  idx "$1" "$2" "$3" "${values[@]}"
}
