#!/usr/bin/env bash
# torch 2.15.0: the number of threads that a new thread sets for itself is lost with its first operation.
#
# A thread of Python that computes with one core beside others begins with torch.set_num_threads(1),
# as the initializer of a ThreadPoolExecutor does. The number is one of the calling thread. But a
# thread takes the number that anybody has set last with its first operation, also after it has set
# one itself: where the main thread sets its own number in between, as to restore it, the new thread
# computes with that many. It keeps its number only if it has asked for it, or computed, before it
# sets it. A good guess is that what a thread has set for itself stays.
#
# Seen on Python 3.11, Linux, in a new thread that sets 1 before the main thread sets 6:
#   set to 1 at once: 6; asked for before: 1
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.15.0" numpy
"$folder/venv/bin/python" - <<'EOF'
import threading

import torch


def number(asks_first):
    """Threads of torch in a new thread that sets 1, while the main one sets 6 after it."""
    told, has_set, go_on = [], threading.Event(), threading.Event()

    def work():
        if asks_first:
            torch.get_num_threads()
        torch.set_num_threads(1)
        has_set.set()
        go_on.wait()
        torch.ones(100_000).sum()
        told.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    has_set.wait()
    torch.set_num_threads(6)
    go_on.set()
    thread.join()
    return told[0]


lost, kept = number(asks_first=False), number(asks_first=True)
print(f"torch {torch.__version__}: set to 1 at once: {lost}; asked for before: {kept}")
assert (lost, kept) == (6, 1), "this has changed"
EOF
