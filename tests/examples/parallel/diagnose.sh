#!/bin/bash
# Diagnoses a folder on several hosts that share it, with GNU parallel: diagnose.sh HOSTS SHARDS FILMS RESULTS
#
# HOSTS as parallel takes them: server1,server2,: (the colon is this machine). Each needs `pleura` in its PATH. More shards
# than hosts keep all of them busy; a shard whose host or process dies is done again on another host.
set -euo pipefail
hosts=$1 shards=$2 films=$3 results=$4
mkdir -p "$results"

# Each try writes a file of its own, which gets its name only when its last line says that it is whole: a film that cannot be
# read (status 1) does not count as a failure, and two tries of one shard at once do no harm.
try='part={3}/{1}.$(hostname).$$.part
     pleura {2} --shard {1}/'$shards' > "$part"
     tail -n 1 "$part" | grep -q \"records\" && mv "$part" {3}/{1}.jsonl'

parallel --sshlogin "$hosts" --workdir . --retries 4 "$try" ::: $(seq "$shards") ::: "$films" ::: "$results"
pleura merge $(seq -f "$results/%.0f.jsonl" "$shards") > "$results/all.jsonl"
