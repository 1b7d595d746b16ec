"""The layouts of labelled data that can be measured on, and the one place that opens them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mien.datasets.ours.pack import read_face_pack
from mien.datasets.ours.shards import TurnedFace, read_turned
from mien.datasets.photo import LabelledPhoto
from mien.datasets.public.aflw2000 import read_aflw2000
from mien.datasets.public.cfp import ClickedProfile, read_cfp
from mien.datasets.public.menpo3d import read_menpo3d
from mien.datasets.public.pts import read_pts
from mien.datasets.public.w300lp import read_w300lp
from mien.errors import ConfigError, DataError
from mien.geometry.convention import Convention

__all__ = ["Format", "PhotoSet", "read_photo_set"]


class Format(StrEnum):
    """Layouts of labelled data."""

    AFLW2000 = "aflw2000"
    PTS = "pts"
    FACES = "faces"
    W300LP = "w300lp"
    MENPO3D = "menpo3d"
    CFP = "cfp"
    TURNED = "turned"
    CLIPS = "clips"
    VW300 = "300vw"
    MENPO3D_VIDEOS = "menpo3d-videos"

    @property
    def on_video(self) -> bool:
        """Whether it holds videos, which the tracker follows, and no single photos."""
        return self in (Format.CLIPS, Format.VW300, Format.MENPO3D_VIDEOS)

    @property
    def usual_split(self) -> str:
        """The split that is measured unless another is asked for; empty where there is none."""
        return {Format.FACES: "test", Format.CFP: "val"}.get(self, "")


@dataclass(frozen=True)
class PhotoSet:
    """Labelled photos; of turned ones also what is known besides the points."""

    photos: Sequence[LabelledPhoto]
    turned: tuple[TurnedFace, ...] = ()


def read_photo_set(
    data_format: Format, root: Path, *, split: str = "", sources: Sequence[str] = ()
) -> PhotoSet:
    """Open a set of labelled photos.

    Args:
        split: of a set that has some; empty takes the usual one.
        sources: of the face pack; none means all.

    Raises:
        ConfigError: videos, or a split or source of a set that has none.
        DataError: the folder does not hold such a set.
    """
    if data_format.on_video:
        raise ConfigError(f"{data_format} holds videos: measure them with evaluate_videos")
    if sources and data_format is not Format.FACES:
        raise ConfigError(f"sources are chosen within the face pack: {data_format} has none")
    if split and not data_format.usual_split:
        raise ConfigError(f"{data_format} has no splits: leave the split out")
    if not root.is_dir():
        raise DataError(f"{root} is no folder: give the folder of the data set")
    split = split or data_format.usual_split
    match data_format:
        case Format.TURNED:
            turned = read_turned(root)
            return PhotoSet([face.photo for face in turned], turned)
        case Format.AFLW2000:
            return PhotoSet(read_aflw2000(root))
        case Format.PTS:
            return PhotoSet(read_pts(root))
        case Format.W300LP:
            return PhotoSet(read_w300lp(root))
        case Format.CFP:
            return PhotoSet(tuple(map(_clicked_photo, read_cfp(root, split=split))))
        case Format.MENPO3D:
            return PhotoSet(tuple(photo.to_68() for photo in read_menpo3d(root)))
        case _:
            return PhotoSet(read_face_pack(root, split=split, sources=sources))


def _clicked_photo(profile: ClickedProfile) -> LabelledPhoto:
    """Errors are shares of the box of the points that were clicked."""
    return LabelledPhoto(
        profile.name,
        profile.image_path,
        profile.points_image,
        profile.yaw_deg,
        convention=Convention.CLICKED,
    )
