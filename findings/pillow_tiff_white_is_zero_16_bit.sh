#!/usr/bin/env bash
# Pillow 13.0.0 reads a TIFF whose photometric interpretation is WhiteIsZero (tag 262 is 0) as light
# when its samples have 8 bits: black comes as 0, white as 255. With 16 bits the same file comes with
# its stored numbers, in which white is 0: a negative of the picture, in the same mode "I;16" and
# without a warning. Microscopes and scanners write such files; whoever takes the pixels has to look
# at tag 262 for one depth and must not for the other. xwidgets inverts 16-bit ones itself.
#
# Seen, for the two pixels white and three quarters of white:
#     uint8  miniswhite -> mode L     [255, 192]
#     uint16 miniswhite -> mode I;16  [0, 16383], where light would be [65535, 49152]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pillow==13.0.0 numpy==2.4.6 tifffile==2026.3.3

"$folder/venv/bin/python" - <<'EOF'
import io

import numpy as np
import PIL
import tifffile
from PIL import Image

print("Pillow", PIL.__version__, "tifffile", tifffile.__version__)


def read(stored: np.ndarray) -> list[int]:
    file = io.BytesIO()
    tifffile.imwrite(file, stored, photometric="miniswhite")
    file.seek(0)
    picture = Image.open(file)
    assert picture.tag_v2[262] == 0
    pixels = np.asarray(picture)[0].tolist()
    print(stored.dtype, picture.mode, pixels)
    return pixels


assert read(np.array([[0, 63]], np.uint8)) == [255, 192], "8 bits are no longer inverted"
assert read(np.array([[0, 16383]], np.uint16)) == [0, 16383], "16 bits are inverted now"
EOF
