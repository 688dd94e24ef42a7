"""A survey on a Dask cluster has the same numbers as one in a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import xwidgets as xw

from .test_survey import assert_same, surveyed

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def test_a_cluster_changes_no_bit(tmp_path: Path, cluster: object) -> None:
    options = {"method": xw.Occlusion(4, 4), "targets": ["bee", None]}
    alone = surveyed(tmp_path / "alone", **options)
    with distributed.Client(cluster) as client:
        assert_same(alone, surveyed(tmp_path / "cluster", workers=client, **options))
