"""A survey on a disk that is full says so, and goes on when there is room."""

import json
import shutil
from pathlib import Path

import pytest

from ..test_files import may_mount, run

PROGRAM = """
from tests.surveys.test_survey import assert_same, pictures, recorded, surveyed
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", folder], check=True)
images = pictures(150)
whole = surveyed(folder / "whole", images)


def said():
    try:
        surveyed(folder / "s", images)
    except OSError as error:
        return str(error)


with recorded(limit=2), suppress(KeyboardInterrupt):
    surveyed(folder / "s", images)
with open(folder / "large", "wb", buffering=0) as large, suppress(OSError):
    while True:
        large.write(bytes(4096))
told, done = [said()], [sorted(xw.open_survey(folder / "s").done)]
os.truncate(folder / "large", (folder / "large").stat().st_size - 6 * 4096)
told.append(said())
done.append(sorted(xw.open_survey(folder / "s").done))
(folder / "large").unlink()
told.append(said())
assert_same(whole, xw.open_survey(folder / "s"))
print(json.dumps([told, done]))
"""


def test_a_full_disk_is_told_and_what_is_done_stays(tmp_path: Path) -> None:
    if not shutil.which("unshare") or not may_mount():
        pytest.skip("file systems cannot be mounted here")
    told, done = json.loads(run(PROGRAM, tmp_path, before=["unshare", "-rm"]))
    for sentence in told[:2]:
        assert "could not be written (No space left on device); what" in sentence
        assert "make room or give another" in sentence
    assert told[2] is None
    assert done[0] == [0, 1]
    assert done[0] <= done[1]
    assert len(done[1]) < 5
