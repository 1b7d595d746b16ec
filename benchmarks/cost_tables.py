"""Tables of docs/accuracy.md that hang on no set: steadiness, cost and speed of each model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sections import line


def steadiness(folder: Path, figures: list[dict[str, Any]]) -> list[str]:
    files = sorted(folder.glob("*.steadiness.json"))
    if not files:
        return []
    head = ["steadiness", "photos", "lost", "jitter of a still face", "lag, frames at 30/s"]
    lines = ["", line(head), line(["---", *["---:"] * 4])]
    for file in files:
        one = json.loads(file.read_text())
        known = one["jitter"] is not None
        told = [f"{one['jitter']:.3%}", f"{one['lag_frames']:.2f}"] if known else ["-", "-"]
        system = f"**mien {one['model']}**" + ", `--offline`" * one.get("offline", False)
        lines.append(line([system, str(one["photos"]), str(one["lost"]), *told]))
    rivals: dict[str, dict[str, float]] = {}
    for one in figures:
        if one["set"] == "steadiness":
            rivals.setdefault(one["system"], {})[one["metric"]] = one["value"]
    for system, told_of in rivals.items():
        cells = [f"{told_of['jitter']:.3%}", f"{told_of['lag_frames']:.2f}"]
        lines.append(line([system, "-", "-", *cells]))
    note = (
        "A still face with camera noise (sigma 4) and a shake of 0.25 px: mean distance of a point "
        "from its own mean, as a share of the face's size; the same face swinging from side to "
        "side: how many frames the points come late (`mien.evaluation.steadiness`). MediaPipe's "
        "figures came with the task and are of other photos."
    )
    return [*lines, "", note]


def cost(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.cost.json"))
    if not files:
        return []
    head = ["model", "crop, px", "GFLOPs", "threads", "ms, model 2", "ms, model 1"]
    lines = ["", line(head), line(["---"] + ["---:"] * 5)]
    for file in files:
        one = json.loads(file.read_text())
        cells = [one["model"], str(one["side"]), f"{one['gflops']:.2f}", str(one["threads"])]
        lines.append(line([*cells, f"{one['tracking_ms']:.1f}", f"{one['detection_ms']:.1f}"]))
    note = (
        "The landmark networks alone, one face a run (median). A face that is followed passes "
        "model 2; one that was just found passes model 1 and then model 2. Each model was measured "
        "on a day of its own, and other work on the machine stretches such times: models of one "
        "crop and as many GFLOPs cost the same."
    )
    return [*lines, "", note]


def speed(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.speed.json"))
    if not files:
        return []
    head = ["clip", "px", "model", "cores", "frames with a face", "frames/s, file to overlay"]
    lines = ["", line(head), line(["---"] * 3 + ["---:"] * 3)]
    for file in files:
        one = json.loads(file.read_text())
        faces = f"{one['frames_with_face']} of {one['frames_decoded']}"
        cells = [one["clip"], one["size"], one["model"], str(one["cores"]), faces]
        lines.append(line([*cells, f"{one['fps']:.1f}"]))
    versions = {json.loads(file.read_text())["version"] for file in files}
    told = f"Of mien {' and '.join(sorted(versions))}; [speed](speed.md) has newer figures."
    return [*lines, "", told]
