#!/usr/bin/env bash
# Test on several GPUs of one or more machines.
# usage: tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of test]
# NNODES, NODE_RANK, MASTER_ADDR and PORT describe several machines.
set -euo pipefail
if [ $# -lt 3 ]; then sed -n '2,4s/^# //p' "$0" >&2; exit 2; fi
CONFIG=$1 CHECKPOINT=$2 GPUS=$3
torchrun --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$GPUS" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
  -m mmdualhand test "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
