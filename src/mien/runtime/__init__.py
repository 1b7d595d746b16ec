"""Weights in onnxruntime and face detectors: everything that runs a network in the field."""

from mien.runtime.card import ModelCard
from mien.runtime.detectors import open_detector
from mien.runtime.landmarker import Landmarker, LandmarkerPair, load_landmarkers
from mien.runtime.weights import DEFAULT_MODEL, ShippedModel, find_weights, shipped_models

__all__ = [
    "DEFAULT_MODEL",
    "Landmarker",
    "LandmarkerPair",
    "ModelCard",
    "ShippedModel",
    "find_weights",
    "load_landmarkers",
    "open_detector",
    "shipped_models",
]
