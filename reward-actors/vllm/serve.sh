#!/usr/bin/env bash
# Serves a model directory by vLLM on loopback, without a connection to anywhere: serve.sh PYTHON MODEL PORT
# PYTHON is what install.sh prints; the model is known by its directory's name.
set -euo pipefail
export PATH="${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin"
[ $# -eq 3 ] || { echo "usage: serve.sh PYTHON MODEL PORT; install.sh prints PYTHON" >&2; exit 2; }
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1
export VLLM_TARGET_DEVICE=cpu VLLM_CPU_KVCACHE_SPACE=1 VLLM_CPU_OMP_THREADS_BIND=nobind VLLM_HOST_IP=127.0.0.1 OMP_NUM_THREADS=1
exec "$1" -m vllm.entrypoints.openai.api_server --model "$2" --served-model-name "$(basename "$2")" --host 127.0.0.1 --port "$3" \
  --dtype float32 --max-model-len 2048 --max-num-seqs 16 --enforce-eager --limit-mm-per-prompt '{"image":3,"video":0}'
