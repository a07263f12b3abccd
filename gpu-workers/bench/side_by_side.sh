#!/usr/bin/env bash
# Alternates `darkroom bench compute` with the same mathematics in plain PyTorch and prints the ratios of the medians.
# Usage: side_by_side.sh [ROUNDS [auto|f32|bf16]]   Both compute in one precision, by default the faster one here. Needs python3 with venv; installs torch into a throw-away environment.
set -euo pipefail
export PATH="${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin"
rounds=${1:-5}
precision=${2:-auto}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${DARKROOM_BENCH_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q torch==2.7.1 numpy
  python=$work/venv/bin/python
fi
for _ in $(seq "$rounds"); do
  "$here/../../darkroom" bench compute --set rollout.solver-steps=6 --set "rollout.precision=$precision" \
    --set "training.precision=$precision" >>"$work/darkroom.jsonl"
  precision=$(sed -n '1s/.*"rolloutPrecision":"\([a-z0-9]*\)".*/\1/p' "$work/darkroom.jsonl")
  "$python" "$here/plain_pytorch.py" --precision "$precision" >>"$work/pytorch.jsonl"
done
"$python" - "$work" <<'PY'
import json, statistics, sys
def medians(name):
    rows = [json.loads(line) for line in open(f"{sys.argv[1]}/{name}.jsonl")]
    return {key: statistics.median(row[key] for row in rows) for key in rows[0] if key.endswith("PerSecond")}
ours, theirs = medians("darkroom"), medians("pytorch")
for key in ours:
    print(f"{key:24} darkroom {ours[key]:8.1f}   pytorch {theirs[key]:8.1f}   ratio {ours[key] / theirs[key]:.2f}")
PY
