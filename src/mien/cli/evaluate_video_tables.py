"""A measurement on videos as a table for a reader; the JSON file holds it all."""

from __future__ import annotations

from rich.table import Table

from mien.evaluation.evaluate_videos import VideoEvaluation
from mien.evaluation.metrics import YAW_BINS_DEG, mean_or_none
from mien.evaluation.video_score import VideoScore

__all__ = ["measured_video_table"]


def measured_video_table(evaluation: VideoEvaluation) -> Table:
    """All videos together, as predicted and with the points moved to where the set has them."""
    source, columns = evaluation.provenance, {"as predicted": evaluation.whole}
    if (moved := evaluation.whole_moved) is not None:
        columns[f"points moved to {evaluation.convention}"] = moved
    table = Table(title=f"{source.data_format}, {source.model}: {len(evaluation.videos)} videos")
    table.add_column()
    for name in columns:
        table.add_column(name, justify="right")
    rows = [_rows(one) for one in columns.values()]
    for label in rows[0]:
        cells = [one[label] for one in rows]
        if set(cells) != {"-"}:
            table.add_row(label, *cells)
    return table


def _rows(whole: VideoScore) -> dict[str, str]:
    return {
        "frames; face-frames": f"{whole.frames}; {whole.face_frames}",
        "missed face-frames": _count(whole.missed, whole.face_frames),
        "  of faces that can be seen": _count(whole.missed_seen, int(whole.seen.sum())),
        "NME": _number(whole.nme),
        **{
            f"NME, yaw {lower} to {upper}": _number(value)
            for (lower, upper), value in zip(YAW_BINS_DEG, whole.nme_by_yaw, strict=True)
        },
        "AUC to 0.07": _number(whole.auc_07),
        "failures at 0.07": _share(whole.failure_rate_07),
        "jitter": _number(whole.jitter),
        "number switches": str(whole.id_switches),
        "tracks; on no face": f"{whole.tracks}; {whole.false_tracks}",
        "faces on no face, frame by frame": str(whole.false_face_frames),
        "eye opening error, shut": _number(mean_or_none(whole.eye_errors_shut)),
        "eye opening error, open": _number(mean_or_none(whole.eye_errors_open)),
    }


def _count(some: int, of: int) -> str:
    return f"{some} ({some / max(of, 1):.1%})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
