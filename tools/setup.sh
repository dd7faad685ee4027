#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs through apt what the build needs and this machine lacks; says what, and does nothing when nothing is missing.
# Works as root and with sudo; without either it prints the one line to run and exits 1.
#
# usage: tools/setup.sh [test|images]      "test" adds what only the tests use (SUNDIALS, the independent integrator, is large;
#                                          Fashion-MNIST; a locale with decimal commas; a compiler that is neither GCC nor
#                                          Clang, and one for a robot's other processor, with an emulator),
#                                          "images" what the demo of pictures learns
set -eu

# The libraries in the order of src/layers.txt: kernel, config, data, store, report; then the tests'.  OpenCL is not
# used, but asked for by the CMake files of Debian's oneDNN.
packages="make cmake ninja-build pkg-config
  libdnnl-dev ocl-icd-opencl-dev librandom123-dev libyaml-dev libhdf5-dev zlib1g-dev libpng-dev
  libjpeg-dev libblosc-dev libjansson-dev libcairo2-dev fonts-dejavu-core libcmocka-dev"
simulators="libmujoco-dev libchipmunk-dev libosmesa6-dev" # of sim; not in every release, and lfm builds without them, too
command -v "${CC:-cc}" >/dev/null || packages="gcc libc6-dev $packages"
case ${1:-} in
test) packages="$packages libsundials-dev dataset-fashion-mnist locales tcc"
  case $(uname -m) in x86_64) packages="$packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" ;; esac ;;
images) packages="$packages dataset-fashion-mnist" ;;
esac

if ! command -v apt-get >/dev/null; then
  cat <<'END'
setup: no apt-get here, so nothing was installed.  lfm needs: a C11 compiler, make, cmake 3.20 or later, pkg-config; the
libraries (with headers) oneDNN and the libgomp it runs on, Random123, libyaml, HDF5, zlib, libpng, libjpeg, Blosc, jansson,
cairo, cmocka; MuJoCo, Chipmunk and OSMesa's header (-DLFM_SIM=OFF does without them, and without the simulated worlds); for
the tests SUNDIALS too.  On Debian and Ubuntu this script installs them.
END
  exit 0
fi

lacking() { # of these packages, those that are not installed
  for package; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf ' %s' "$package"
  done
}
offered() { # of these packages, those that apt knows
  for package; do apt-cache show "$package" >/dev/null 2>&1 && printf ' %s' "$package"; done
  true
}

missing=$(lacking $packages)$(offered $(lacking $simulators))
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
root=() # what to put before a command so that it runs as root
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null; then root=(sudo) how='sudo sh'; else how='su'; fi
  if [ "$how" = su ] || ! { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    echo "setup: packages are missing, and installing them takes root.  Run this line, then try again:"
    echo "    $how -c 'apt-get update && $install'"
    exit 1
  fi
fi

echo "setup: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -q && $install -q" >"$log" 2>&1 </dev/null; then
  tail -n 20 "$log"
  echo "setup: apt-get failed; its last lines are above"
  exit 1
fi
# Before the update apt may have known nothing.
late=$(offered $(lacking $simulators))
[ -z "$late" ] || "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $late >/dev/null || true
[ -z "$(lacking $simulators)" ] || echo "setup: no simulators here ($simulators); lfm is built without its simulated worlds"
echo "setup: done"
