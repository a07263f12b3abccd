#!/usr/bin/env bash
# Installs the CPU build of vLLM into an environment of its own, once, and says where its python is.
# 2.8 GB to fetch from PyPI, 5.5 GB on the disk; Python 3.11 and x86-64 with AVX2 or AVX-512.
#   DARKROOM_VLLM   the environment; default ~/.cache/darkroom/vllm-0.32.0
set -euo pipefail
export PATH="${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin"
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
home=${DARKROOM_VLLM:-${cache:+$cache/darkroom/vllm-0.32.0}}
gigabytes=9 # the environment, and what is fetched on the way

fail() {
  echo "vllm: $1" >&2
  exit 1
}

[ -n "$home" ] || fail "HOME is not set; set DARKROOM_VLLM to the place of the environment"
if [ ! -f "$home/whole" ]; then
  python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
    fail "needs Python 3.11 as python3; set DARKROOM_VLLM to an environment that has vLLM otherwise"
  mkdir -p "$home" || fail "cannot make $home; set DARKROOM_VLLM to another place"
  exec 9>"$home/lock"
  flock 9
  [ -n "$home" ] || fail "HOME is not set; set DARKROOM_VLLM to the place of the environment"
if [ ! -f "$home/whole" ]; then
    left=$(($(df -Pk "$home" | awk 'END { print $4 }') / 1000000))
    [ "$left" -ge "$gigabytes" ] ||
      fail "$home has $left GB left and needs $gigabytes; make room, or set DARKROOM_VLLM to another place"
    echo "vllm: installing into $home (some minutes)" >&2
    python3 -m venv "$home" >&2 || fail "python3 -m venv failed; it needs the package python3-venv"
    # Without its dependencies' own wishes: it pins a build of torch that is not on PyPI, and works with the one that is.
    { "$home/bin/pip" install --quiet --disable-pip-version-check uv &&
      "$home/bin/uv" pip install --quiet --python "$home/bin/python" --no-deps -r "$here/requirements.txt"; } >&2 ||
      fail "could not be fetched, see above; the first time needs a network and PyPI or a mirror that pip and uv know"
    touch "$home/whole"
  fi
fi
echo "$home/bin/python"
