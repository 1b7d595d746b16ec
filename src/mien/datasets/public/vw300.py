"""300VW: 114 videos of one face each (Shen et al., ICCVW 2015).

``300VW_Dataset_2015_12_14.zip`` unpacks to a folder a video::

    001/vid.avi
    001/annot/000001.pts
    001/annot/000002.pts

``000001.pts`` belongs to the first frame, and points count pixels from 1 as all ``.pts`` files of
iBUG do. The set as published labels every frame with 68 points; folders that keep some of the
files, or have 84 points, are read as well, and ``LabelledVideo.continuous`` fills in what lies
between. The 84 points that the paper measures on come with Menpo 3D: ``menpo3d``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.datasets.lazy import OnDemand
from mien.datasets.public.pts import parse_pts
from mien.datasets.video import LabelledVideo
from mien.errors import DataError

__all__ = ["TEST_CATEGORIES", "read_300vw"]

_WELL_LIT = (
    *(114, 124, 125, 126, 150, 158, 401, 402, 505, 506, 507, 508, 509, 510, 511, 514, 515, 518),
    *(519, 520, 521, 522, 524, 525, 537, 538, 540, 541, 546, 547, 548),
)
_BADLY_LIT = (
    *(203, 208, 211, 212, 213, 214, 218, 224, 403, 404, 405, 406, 407, 408, 409, 412, 550, 551),
    553,
)
_UNCONSTRAINED = (410, 411, 516, 517, 526, 528, 529, 530, 531, 533, 557, 558, 559, 562)
TEST_CATEGORIES = tuple(
    tuple(map(str, numbers)) for numbers in (_WELL_LIT, _BADLY_LIT, _UNCONSTRAINED)
)
"""The names of the 31, 19 and 14 test videos of categories 1 to 3; the other 50 are for training.

As the organisers list them and published experiments on the set hold them, such as the scripts of
OpenFace (T. Baltrusaitis, the Matlab experiments on 300VW) and of Supervision by Registration
(X. Dong et al., CVPR 2018), which agree in all 64.
"""


@dataclass(frozen=True)
class _Folder:
    path: Path
    video: Path


def read_300vw(root: Path, *, names: Sequence[str] = ()) -> OnDemand[_Folder, LabelledVideo]:
    """All videos of the set, or those named, in the order of their names; labels on demand.

    Raises:
        DataError: not such a folder, no video of that name, or a folder without its ``vid.avi``.
            Broken labels are reported when their video is asked for.
    """
    annotated = sorted(path.parent for path in root.glob("*/annot") if path.is_dir())
    if not annotated:
        raise DataError(
            f"{root} holds no NNN/annot: give the folder of 300VW that holds 001, 002, ..."
        )
    known = {path.name: path for path in annotated}
    for name in names:
        if name not in known:
            raise DataError(f"{root} has no video {name}: it has {', '.join(known)}")
    return OnDemand(tuple(_folder(known[name]) for name in names or known), _read_video)


def _folder(path: Path) -> _Folder:
    video = path / "vid.avi"
    if not video.is_file():
        raise DataError(f"{video} is missing: unpack 300VW again")
    return _Folder(path, video)


def _read_video(folder: _Folder) -> LabelledVideo:
    files = {_frame_index(file): file for file in (folder.path / "annot").glob("[!.]*.pts")}
    if not files:
        raise DataError(f"{folder.path / 'annot'} holds no .pts file: unpack 300VW again")
    indices = sorted(files)
    points = [parse_pts(files[index]) for index in indices]
    for index, one in zip(indices, points, strict=True):
        if len(one) not in (68, 84) or len(one) != len(points[0]):
            expected = "68 or 84" if one is points[0] else str(len(points[0]))
            raise DataError(f"{files[index]} has {len(one)} points: expected {expected}")
    return LabelledVideo(folder.path.name, folder.video, np.array(indices), np.stack(points))


def _frame_index(file: Path) -> int:
    if not file.stem.isdecimal() or int(file.stem) < 1:
        raise DataError(f"{file} is not named after a frame: expected 000001.pts, 000002.pts, ...")
    return int(file.stem) - 1
