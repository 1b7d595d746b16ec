"""Pure numpy geometry: similarity, pose and crop. Everything else stands on these conventions."""

from mien.geometry.assignment import least_cost_pairs
from mien.geometry.crop import (
    FACE_SHARE,
    crop_from_box,
    crop_from_detection,
    crop_from_landmarks,
    crop_of_head_in_box,
    detection_box,
    mirror_crop,
    resize_crop,
    warp_crop,
)
from mien.geometry.pose import PosedHead, angles_from_rotation, pose_head, rotation_from_angles
from mien.geometry.rotations import (
    angle_between,
    angles_of,
    matrix_of_quaternion,
    matrix_of_vector,
    quaternion_of,
)
from mien.geometry.similarity import Similarity, umeyama

__all__ = [
    "FACE_SHARE",
    "PosedHead",
    "Similarity",
    "angle_between",
    "angles_from_rotation",
    "angles_of",
    "crop_from_box",
    "crop_from_detection",
    "crop_from_landmarks",
    "crop_of_head_in_box",
    "detection_box",
    "least_cost_pairs",
    "matrix_of_quaternion",
    "matrix_of_vector",
    "mirror_crop",
    "pose_head",
    "quaternion_of",
    "resize_crop",
    "rotation_from_angles",
    "umeyama",
    "warp_crop",
]
