#!/usr/bin/env bash
# Run the table of a suite under Slurm, a part of it in every job of an array. Start it again to go on.
# usage: [SHARDS=4] [GPUS=1] [CPUS_PER_TASK=5] tools/slurm_reproduce.sh PARTITION SUITE SCALE SEEDS [options of reproduce]
# SBATCH_ARGS holds further options of sbatch. All jobs must see the same results/ and work_dirs/.
# The table, when all jobs are done: python tools/reproduce.py --suite SUITE --scale SCALE --seeds SEEDS --table
set -euo pipefail
if [ $# -lt 4 ]; then sed -n '2,5s/^# //p' "$0" >&2; exit 2; fi
PARTITION=$1 SUITE=$2 SCALE=$3 SEEDS=$4
if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
  # shellcheck disable=SC2086
  exec sbatch -p "$PARTITION" --job-name="$SUITE" --array="1-${SHARDS:-4}" --gres="gpu:${GPUS:-1}" --ntasks=1 \
    --cpus-per-task="${CPUS_PER_TASK:-5}" ${SBATCH_ARGS:-} "$0" "$@"
fi
exec python -u -m mmdualhand reproduce --suite "$SUITE" --scale "$SCALE" --seeds "$SEEDS" \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" "${@:5}"
