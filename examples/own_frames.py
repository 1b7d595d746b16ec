"""Hand your own frames to the tracker, one at a time: here from OpenCV, from anywhere in yours.

python examples/own_frames.py clip.mp4
"""

from __future__ import annotations

import argparse

import cv2

import mien


def main() -> None:
    parser = argparse.ArgumentParser(description="Print where each face's nose tip is.")
    parser.add_argument("clip")
    parser.add_argument("--model", default="fast")
    parser.add_argument("--detector", default="centerface")
    arguments = parser.parse_args()

    tracker = mien.load_tracker(arguments.model, detector=arguments.detector)
    nose_tip = load_nose_tip()
    video = cv2.VideoCapture(arguments.clip)
    rate = video.get(cv2.CAP_PROP_FPS) or 25.0
    index = 0
    while True:
        is_read, image_bgr = video.read()
        if not is_read:
            break
        image_rgb = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)  # mien reads RGB
        faces = tracker.update(mien.Frame(image_rgb, index, time_secs=index / rate))
        for face in faces:
            x, y, z = face.landmarks.points_image[nose_tip]
            print(f"{index} face {face.track_id}: nose at ({x:.1f}, {y:.1f}), depth {z:.1f} px")
        index += 1


def load_nose_tip() -> int:
    """Index of the nose's tip, iBUG point 31, counted from 0."""
    return mien.load_markup(68).ibug68[30]


if __name__ == "__main__":
    main()
