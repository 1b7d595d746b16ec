"""MediaPipe Face Mesh on one clip; `rivals/run.py` makes its environment and calls this.

    MEDIAPIPE_PYTHON mediapipe_clip.py CLIP FACES [photo]

Prints one JSON object: frames a second and processor milliseconds a frame, decoding included, after
the same warm-up as mien's; with `photo` also for the clip's first picture alone. Video mode
(`static_image_mode=False`), its default confidences; a photo with `static_image_mode=True`. While
fewer faces are followed than FACES it searches every frame.
"""

import json
import sys
import time

import av
import mediapipe as mp

WARM_UP = 12
PHOTOS = 20


def main() -> None:
    clip, faces = sys.argv[1], int(sys.argv[2])
    mesh = mp.solutions.face_mesh.FaceMesh(
        static_image_mode=False, max_num_faces=faces, refine_landmarks=False
    )
    found, update_ms = [], []
    start = cpu = 0.0
    first = None
    with av.open(clip) as container:
        container.streams.video[0].thread_type = "AUTO"
        for index, frame in enumerate(container.decode(video=0)):
            if index == WARM_UP:
                start, cpu = time.perf_counter(), time.process_time()
            image = frame.to_ndarray(format="rgb24")
            first = image if first is None else first
            begun = time.perf_counter()
            result = mesh.process(image)
            update_ms.append((time.perf_counter() - begun) * 1e3)
            found.append(len(result.multi_face_landmarks or ()))
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    timed = sorted(update_ms[WARM_UP:])
    photo = photos(first, faces) if sys.argv[3:] else {}
    print(
        json.dumps(
            {
                **photo,
                "fps": round(len(timed) / wall, 2),
                "cpu_ms": round(1e3 * cpu / len(timed), 3),
                "update_ms_median": round(timed[len(timed) // 2], 3),
                "update_ms_p95": round(timed[int(len(timed) * 0.95)], 3),
                "faces_found": round(sum(found[WARM_UP:]) / len(timed), 3),
                "version": mp.__version__,
            }
        )
    )


def photos(image, faces):
    """Medians of wall and processor ms of one photo, warm."""
    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=faces)
    wall_ms, cpu_ms = [], []
    for _ in range(PHOTOS + 2):
        begun, cpu = time.perf_counter(), time.process_time()
        mesh.process(image)
        wall_ms.append((time.perf_counter() - begun) * 1e3)
        cpu_ms.append((time.process_time() - cpu) * 1e3)
    told = {"photo_ms": wall_ms, "photo_cpu_ms": cpu_ms}
    return {name: round(sorted(some[2:])[PHOTOS // 2], 3) for name, some in told.items()}


if __name__ == "__main__":
    main()
