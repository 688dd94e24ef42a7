"""Workers of pytest-xdist share the cores: one thread each, the kernels that they start too."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
