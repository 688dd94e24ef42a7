"""Memory that is free: on a device, or on this computer within what limits this process.

A container limits its processes by a control group, whose limit and use stand in files, as do those
of the groups around it; a shell limits them by ``ulimit``, in address space or in writable memory.
What is free is the least that any of these leaves.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path, PurePosixPath

import torch

try:
    import resource
except ImportError:  # as on Windows, which has no such limits
    resource = None  # type: ignore[assignment]

_FILES = {
    "": ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    "memory": (
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
}
"""By controller, "" for version 2 of control groups: folder of the groups; files of their limit and
their use; name of the part of the use that is cached files, which give way."""


def free_memory(device: torch.device) -> float:
    """Bytes that can still be allocated on a device; infinite where nobody knows.

    Where the system does not tell what is available, as on macOS, they are all of the physical
    memory, used or not.

    Example:
        >>> free_memory(torch.device("cpu")) > 0
        True
    """
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return float(torch.cuda.mem_get_info(device)[0] + cached)
    root = Path("/")
    left = [*_of_computer(root), *left_by_groups(root), *_left_by_limits(root)]
    return max(0.0, min(left, default=inf))


def trim_heap() -> None:
    """Return freed memory to the system, where the C library keeps it for later."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
        if trim is not None:
            trim(0)


def _of_computer(root: Path) -> Iterator[float]:
    available = _table(root / "proc/meminfo").get("MemAvailable")
    if available is not None:
        yield 1024 * available
    elif hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def left_by_groups(root: Path) -> Iterator[float]:
    """Bytes that the control group of this process, and each one around it, leaves.

    Args:
        root: folder in which ``proc`` and ``sys`` stand.
    """
    lines = (line.split(":", 2) for line in _text(root / "proc/self/cgroup").splitlines())
    for _, controllers, path in (parts for parts in lines if len(parts) == 3):
        for controller in {"", "memory"}.intersection(controllers.split(",")):
            mount, limit, use, files = _FILES[controller]
            group = PurePosixPath(path.lstrip("/"))
            for part in (group, *group.parents):
                folder = root / mount / part
                most, used = _text(folder / limit).strip(), _text(folder / use).strip()
                if most.isdigit() and used.isdigit():
                    yield int(most) - int(used) + _table(folder / "memory.stat").get(files, 0)


def _left_by_limits(root: Path) -> Iterator[float]:
    used = _table(root / "proc/self/status")
    for limit, size in (("RLIMIT_AS", "VmSize"), ("RLIMIT_DATA", "VmData")):
        if hasattr(resource, limit) and size in used:
            most, _ = resource.getrlimit(getattr(resource, limit))
            if most != resource.RLIM_INFINITY:
                yield most - 1024 * used[size]


def _table(file: Path) -> Mapping[str, float]:
    """Numbers of a file whose lines are a name and a number."""
    rows = (line.replace(":", " ").split() for line in _text(file).splitlines())
    return {row[0]: float(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
