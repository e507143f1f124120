#!/bin/bash
# Train once on a machine that was rented for it, and end the machine, whatever happens.
#
# EC2 runs this as user data, behind lines that export what pipeline/account/ec2/user_data.py knows:
#   CODE_URI CODE_SHA256      the archive of entrypoints/, and the hash of its content
#   DATA_URI or SOURCE        prepared images in S3, or where prepare.py finds images to prepare
#   WEIGHTS_URI RESUME_URI    weights to begin with, and checkpoints to go on from; empty for none
#   RESULTS_URI UPLOAD_FLAGS  where the log, the model and the outcome go, and how
#   PREPARE_FLAGS TRAIN_FLAGS flags of the scripts, one word a line
#   LIMIT_SECONDS SHUTDOWN_MINUTES   how long all of this may take, and when the machine ends at the latest
#   PYTHON FOLDER LOG_SECONDS which Python has torch, where to work, how often to upload the log
set -uo pipefail

# The first thing: whatever becomes of the rest, the machine ends, and EC2 takes that for a termination.
shutdown -h "+${SHUTDOWN_MINUTES:-60}"

outcome="failed: it never began"
stage=""
child=""
watcher=""

# Upload a file; nothing of that may keep the machine from ending.
upload() {
    local flags=()
    mapfile -t flags < <(printf '%s' "$UPLOAD_FLAGS")
    timeout --kill-after=10 600 aws s3 cp --only-show-errors "${flags[@]}" "$1" "$RESULTS_URI/$2"
}

# Upload the log now and then; when it is told to end, what it is uploading comes before the last upload of all.
follow_log() {
    trap exit TERM
    while true; do
        sleep "$LOG_SECONDS" &
        wait $!
        upload train.log train.log
    done
}

# Of a training that did not come to its end: the best model so far, if there is one, and what a later run goes on from.
save_what_there_is() {
    if [[ -n $(ls -A model 2>/dev/null) ]]; then
        timeout --kill-after=10 300 "${pack[@]}" && upload model.tar.gz model.tar.gz
    fi
    if [[ -n $(ls -A checkpoints 2>/dev/null) ]]; then
        tar -czf checkpoints.tar.gz -C checkpoints . && upload checkpoints.tar.gz checkpoints.tar.gz
    fi
}

finish() {
    set +u # what was never set must not keep the machine from ending
    trap '' EXIT INT TERM HUP
    [[ -n $child ]] && kill -TERM "$child" 2>/dev/null && wait "$child"
    [[ -n $watcher ]] && kill "$watcher" && wait "$watcher"
    [[ $outcome != succeeded ]] && save_what_there_is
    echo "$outcome"
    echo "$outcome" >outcome.txt
    upload train.log train.log
    upload outcome.txt outcome.txt
    tail -n 40 train.log >&3
    shutdown -h now
}
trap finish EXIT
trap 'outcome="interrupted: $stage"; exit 143' INT TERM HUP

# Run a command for as long as there is time, so that a signal is heard meanwhile.
limited() {
    local left=$((LIMIT_SECONDS - SECONDS)) code
    ((left > 0)) || left=1
    timeout --kill-after=60 "$left" "$@" &
    child=$!
    wait "$child"
    code=$?
    child=""
    return "$code"
}

# Do one thing of the work, or end with what became of it.
must() {
    local code
    stage=$1
    shift
    echo "--- $stage"
    limited "$@"
    code=$?
    ((code == 0)) && return
    if ((SECONDS >= LIMIT_SECONDS)); then
        outcome="stopped: time was up while $stage"
    else
        outcome="failed: $stage ended with $code"
    fi
    exit 1
}

export PYTHONUNBUFFERED=1
pack=(env PYTHONPATH=code "$PYTHON" -c
    'from pathlib import Path; import model_archive; model_archive.pack(Path("model"), Path("model.tar.gz"))')
mkdir -p "$FOLDER" && cd "$FOLDER" || exit 1
exec 3>&1 >train.log 2>&1
follow_log 3>&- &
watcher=$!

mkdir -p code data checkpoints
must "fetching the code" aws s3 cp --only-show-errors "$CODE_URI" source.tar.gz
# shellcheck disable=SC2016
must "checking the code" bash -c 'gzip -dc source.tar.gz | sha256sum | grep -q "^$CODE_SHA256 "'
must "unpacking the code" tar -xzf source.tar.gz -C code
must "looking for torch" "$PYTHON" -c 'import torch; print("torch", torch.__version__, "CUDA", torch.cuda.is_available())'
if ! PYTHONPATH=code limited "$PYTHON" -c 'import boto3, numpy, PIL, vision' 2>/dev/null; then
    # The same torch stays: what is installed must fit it.
    # shellcheck disable=SC2016
    must "installing what is missing" bash -c \
        '"$PYTHON" -m pip install --quiet boto3 numpy pillow torchvision "torch==$("$PYTHON" -c "import torch; print(torch.__version__)")"'
fi

if [[ -n $DATA_URI ]]; then
    must "fetching the images" aws s3 cp --recursive --only-show-errors --exclude 'test/*' "$DATA_URI/" data
else
    mapfile -t flags < <(printf '%s' "$PREPARE_FLAGS")
    must "preparing the images" "$PYTHON" code/prepare.py --source "$SOURCE" --output-dir data "${flags[@]}"
fi
[[ -n $WEIGHTS_URI ]] && must "fetching the weights" aws s3 cp --only-show-errors "$WEIGHTS_URI" weights.pth
if [[ -n $RESUME_URI ]]; then
    must "fetching the checkpoints" aws s3 cp --only-show-errors "$RESUME_URI" resume.tar.gz
    must "unpacking the checkpoints" tar -xzf resume.tar.gz -C checkpoints
fi

start=("$PYTHON")
devices=$("$PYTHON" -c 'import torch; print(torch.cuda.device_count())')
((devices > 1)) && start+=(-m torch.distributed.run --standalone --nproc-per-node "$devices")
mapfile -t flags < <(printf '%s' "$TRAIN_FLAGS")
must "training" "${start[@]}" code/train.py --data data --model-dir model --output-dir output \
    --checkpoint-dir checkpoints "${flags[@]}"
must "packing the model" "${pack[@]}"
stage="uploading the model"
upload model.tar.gz model.tar.gz || { outcome="failed: $stage"; exit 1; }
outcome=succeeded
