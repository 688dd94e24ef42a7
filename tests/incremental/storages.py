"""Bytes of the tensors that torch has at once."""

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveStorages(TorchDispatchMode):
    """Counts the bytes of what operations make within the context, as long as it is held.

    Everything is computed in one thread meanwhile, which is the only one that is counted.

    Attributes:
        peak: the most at a time.
    """

    def __init__(self):
        super().__init__()
        self.peak = self._total = 0
        self._live = {}

    def __enter__(self):
        self._threads = torch.get_num_threads()
        torch.set_num_threads(1)
        return super().__enter__()

    def __exit__(self, *error):
        torch.set_num_threads(self._threads)
        return super().__exit__(*error)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        output = function(*args, **(kwargs or {}))
        given = {*map(_at, tree_leaves((args, kwargs)))}
        for tensor in tree_leaves(output):
            if isinstance(tensor, torch.Tensor) and _at(tensor) not in given:
                self._add(tensor.untyped_storage())
        return output

    def _add(self, storage):
        _, before = self._live.get(storage._cdata, (None, 0))
        self._live[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        self._total += storage.nbytes() - before
        if self._total > self.peak:  # unless some are gone
            self._live = {at: pair for at, pair in self._live.items() if not pair[0].expired()}
            self._total = sum(size for _, size in self._live.values())
            self.peak = max(self.peak, self._total)


def _at(value):
    """Address of a tensor's storage; ``None`` for anything else."""
    return value.untyped_storage()._cdata if isinstance(value, torch.Tensor) else None
