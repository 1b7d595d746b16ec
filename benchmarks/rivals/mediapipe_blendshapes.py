"""MediaPipe's 52 blendshapes of a clip; `blendshapes.py` makes its environment and calls this.

    MEDIAPIPE_PYTHON mediapipe_blendshapes.py MODEL.task CLIP OUT.npz

Writes ``names`` (52,) and ``strengths`` (frames, 52), NaN where no face was found. Video mode, one
face, its default confidences.
"""

import sys

import av
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision


def main() -> None:
    model, clip, out = sys.argv[1:]
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=1,
        output_face_blendshapes=True,
    )
    names, rows = [], []
    with vision.FaceLandmarker.create_from_options(options) as reader, av.open(clip) as video:
        for frame in video.decode(video=0):
            picture = np.ascontiguousarray(frame.to_ndarray(format="rgb24"))
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
            found = reader.detect_for_video(image, round(frame.time * 1000)).face_blendshapes
            if found:
                names = [one.category_name for one in found[0]]
            rows.append([one.score for one in found[0]] if found else [np.nan] * 52)
    np.savez(out, names=np.array(names), strengths=np.array(rows))


if __name__ == "__main__":
    main()
