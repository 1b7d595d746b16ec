"""Pure numpy geometry: similarity, pose and crop. Everything else stands on these conventions."""

from mien.geometry.crop import (
    FACE_SHARE,
    crop_from_box,
    crop_from_detection,
    crop_from_landmarks,
    detection_box,
    mirror_crop,
    resize_crop,
    warp_crop,
)
from mien.geometry.pose import PosedHead, angles_from_rotation, pose_head, rotation_from_angles
from mien.geometry.similarity import Similarity, umeyama

__all__ = [
    "FACE_SHARE",
    "PosedHead",
    "Similarity",
    "angles_from_rotation",
    "crop_from_box",
    "crop_from_detection",
    "crop_from_landmarks",
    "detection_box",
    "mirror_crop",
    "pose_head",
    "resize_crop",
    "rotation_from_angles",
    "umeyama",
    "warp_crop",
]
