#!/usr/bin/env bash
# Serves a model directory by vLLM on loopback, without a connection to anywhere: serve.sh PYTHON MODEL PORT
set -euo pipefail
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1
export VLLM_TARGET_DEVICE=cpu VLLM_CPU_KVCACHE_SPACE=1 VLLM_CPU_OMP_THREADS_BIND=nobind VLLM_HOST_IP=127.0.0.1 OMP_NUM_THREADS=1
exec "$1" -m vllm.entrypoints.openai.api_server --model "$2" --served-model-name tiny --host 127.0.0.1 --port "$3" \
  --dtype float32 --max-model-len 2048 --max-num-seqs 16 --enforce-eager --limit-mm-per-prompt '{"image":2,"video":0}'
