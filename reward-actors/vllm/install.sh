#!/usr/bin/env bash
# Installs the CPU build of vLLM into an environment of its own, once, and says where its python is.
# 2.8 GB to fetch from PyPI, 5.5 GB on the disk; Python 3.11 and x86-64 with AVX2 or AVX-512.
#   DARKROOM_VLLM   the environment; default ~/.cache/darkroom/vllm-0.32.0
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
home=${DARKROOM_VLLM:-${XDG_CACHE_HOME:-$HOME/.cache}/darkroom/vllm-0.32.0}

if [ ! -f "$home/whole" ]; then
  python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
    echo "vllm: needs Python 3.11 as python3; set DARKROOM_VLLM to an environment that has vLLM otherwise" >&2
    exit 1
  }
  mkdir -p "$home"
  exec 9>"$home/lock"
  flock 9
  if [ ! -f "$home/whole" ]; then
    echo "vllm: installing into $home (some minutes)" >&2
    python3 -m venv "$home" >&2
    "$home/bin/pip" install --quiet --disable-pip-version-check uv >&2
    # Without its dependencies' own wishes: it pins a build of torch that is not on PyPI, and works with the one that is.
    "$home/bin/uv" pip install --quiet --python "$home/bin/python" --no-deps -r "$here/requirements.txt" >&2
    touch "$home/whole"
  fi
fi
echo "$home/bin/python"
