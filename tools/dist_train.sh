#!/usr/bin/env bash
# Train on several GPUs of one or more machines.
# usage: tools/dist_train.sh CONFIG GPUS [options of train]
# NNODES, NODE_RANK, MASTER_ADDR and PORT describe several machines.
set -euo pipefail
if [ $# -lt 2 ]; then sed -n '2,4s/^# //p' "$0" >&2; exit 2; fi
CONFIG=$1 GPUS=$2
torchrun --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$GPUS" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
  -m mmdualhand train "$CONFIG" --launcher pytorch "${@:3}"
