"""Free memory, of files as the kernel writes them."""

from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch

from xwidgets.incremental import free_memory as module
from xwidgets.incremental.free_memory import free_memory, left_by_groups

MB = 2**20


def written(root, files):
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


SECOND = {
    "proc/self/cgroup": "\nof no form\n0::/box.slice/job\n",
    "sys/fs/cgroup/box.slice/job/memory.max": "max\n",
    "sys/fs/cgroup/box.slice/job/memory.current": f"{100 * MB}\n",
    "sys/fs/cgroup/box.slice/memory.max": f"{500 * MB}\n",
    "sys/fs/cgroup/box.slice/memory.current": f"{300 * MB}\n",
    "sys/fs/cgroup/box.slice/memory.stat": f"anon 7\ninactive_file {50 * MB}\nactive_file 3\n",
}
FIRST = {
    "proc/self/cgroup": "9:name=systemd:/x\n4:cpu,memory:/docker/ab\n0::/\n",
    "sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes": f"{400 * MB}\n",
    "sys/fs/cgroup/memory/docker/ab/memory.usage_in_bytes": f"{150 * MB}\n",
    "sys/fs/cgroup/memory/docker/ab/memory.stat": f"inactive_file 1\ntotal_inactive_file {MB}\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{900 * MB}\n",
}
INSIDE = {  # a container sees its own group as the root
    "proc/self/cgroup": "4:memory:/docker/ab\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{90 * MB}\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{20 * MB}\n",
}


@pytest.mark.parametrize(
    ("files", "left"),
    [(SECOND, 250), (FIRST, 251), (INSIDE, 70), ({}, None), ({"proc/self/cgroup": "0::/"}, None)],
    ids=["version 2, limit of a group around", "version 1", "inside", "no groups", "no limit"],
)
def test_a_control_group_leaves_its_limit_less_its_use(tmp_path, files, left):
    assert min(left_by_groups(written(tmp_path, files)), default=None) == (left and left * MB)


def test_the_least_counts(tmp_path):
    root = written(
        tmp_path,
        {
            "proc/meminfo": "MemTotal: 8192 kB\nMemAvailable:    4096 kB\n",
            "proc/self/status": "Name:\tpython\nVmSize:\t    1024 kB\nVmData:\t     512 kB\n",
        },
    )
    limits = {"as": (-1, -1), "data": (-1, -1)}

    def free():
        fake = SimpleNamespace(
            RLIMIT_AS="as", RLIMIT_DATA="data", RLIM_INFINITY=-1, getrlimit=limits.get
        )
        with patch.object(module, "Path", lambda _: root), patch.object(module, "resource", fake):
            return free_memory(torch.device("cpu"))

    assert free() == 4 * MB
    limits["as"] = 3 * MB, -1
    assert free() == 2 * MB
    limits["data"] = MB, -1
    assert free() == MB / 2
    limits["data"] = 1, -1  # below what it uses already
    assert free() == 0


def test_a_gpu_gives_back_what_torch_keeps_for_later():
    with (
        patch("torch.cuda.mem_get_info", lambda device: (5, 9)),
        patch("torch.cuda.memory_reserved", lambda device: 3),
        patch("torch.cuda.memory_allocated", lambda device: 1),
    ):
        assert free_memory(torch.device("cuda")) == 7


def test_here_something_is_free():
    assert free_memory(torch.device("cpu")) > 0
