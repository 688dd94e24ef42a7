"""What all tests need."""

from unittest.mock import patch

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def own_type():
    """Differences are multiplied in a network's own type, whatever this machine is fast at."""
    with patch("xwidgets.incremental.inference.fast_type", lambda device: torch.float32):
        yield
