"""What stands in the paper's tables: each row, its figure, and the configuration that trains it.

Configurations are the files of ``configs/table-N/``. A wheel carries them beside this module
(``pyproject.toml`` puts them there); in a checkout they are read where they lie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from mien.reproduction.targets import Target
from mien.training.config import TrainConfig, load_config

__all__ = ["TABLES", "Kind", "PaperTable", "Protocol", "Row", "load_row"]


class Protocol(StrEnum):
    """How one figure is made of the errors of many faces (``docs/decisions/0011-table-3.md``)."""

    ALL_IMAGES = "mean over all images"
    YAW_BINS = "mean of three yaw bins"


class Kind(StrEnum):
    """How a row comes about."""

    NETWORK = "network"
    MORPHABLE = "morphable"
    """A network too, over a head that the user gives."""
    SDM = "sdm"
    PUBLISHED = "published figure only"


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    name: str
    label: str
    """As the paper prints it."""
    published: float | None
    """The paper's NME; ``None`` where it speaks of the row in words only."""
    config: str = ""
    """File below ``configs``, of which SDM reads what concerns crops; empty where nothing is
    trained."""
    kind: Kind = Kind.NETWORK
    protocol: Protocol = Protocol.ALL_IMAGES
    """That of ``published``."""


@dataclass(frozen=True)
class PaperTable:
    """A table or figure of section 4."""

    target: Target
    caption: str
    rows: tuple[Row, ...]


_MODULE_4 = Row("module-4", "+ 3.2 module 4", 0.0296, "table-2/module-4.toml")
_FINETUNE = Row(
    "finetune-end-to-end",
    "+ 3.3 finetune module, on stills",
    0.0304,
    "table-4/finetune-end-to-end.toml",
)
_DEPARTURES = {
    "fast": "all that `fast` does otherwise",
    "no-decoding": "same, but the finetune module regresses the points themselves",
    "no-depth": "same, but no depth",
    "no-confidence": "same, but no confidence and no score",
    "paper-losses": "same, but the paper's losses",
    "plain-crops": "same, but crops are only turned, scaled, moved and mirrored",
}


def _quoted(name: str, label: str, published: float, kind: Kind = Kind.PUBLISHED) -> Row:
    """A figure that the paper took from [45]."""
    config = "" if kind is Kind.PUBLISHED else "table-1/resnet18.toml"
    return Row(name, label, published, config, kind, Protocol.YAW_BINS)


def _on_video(
    target: Target, caption: str, figures: tuple[float | None, float | None]
) -> PaperTable:
    heatmaps, finetuned = figures
    return PaperTable(
        target,
        caption,
        (
            Row("heatmaps", "attention based hourglass 3.1, 3.2", heatmaps, _MODULE_4.config),
            Row(
                "finetune-end-to-end",
                "+ finetune module 3.3",
                finetuned,
                "table-4/finetune-end-to-end.toml",
            ),
            Row(
                "finetune-alone",
                "+ finetune module 3.3, trained alone",
                None,
                "table-4/finetune-alone.toml",
            ),
        ),
    )


# The paper prints 3DDFA as "3SDFA" in table 3.
TABLES = {
    table.target: table
    for table in (
        PaperTable(
            Target.TABLE_1,
            "Table 1: changes of the heatmap network, and regression without heatmaps",
            (
                Row("resnet18", "Resnet18 [17]", 0.0371, "table-1/resnet18.toml"),
                Row("hourglass", "Hourglass [30]", 0.0338, "table-1/hourglass.toml"),
                Row(
                    "changes-123",
                    "+ residual unit modified 3.1 (1,2,3)",
                    0.0332,
                    "table-1/changes-123.toml",
                ),
                Row("change-4", "+ no dropout 3.1 (4)", None, "table-1/change-4.toml"),
                Row("change-5", "+ cross entropy loss 3.1 (5)", 0.0307, "table-1/change-5.toml"),
            ),
        ),
        PaperTable(
            Target.TABLE_2,
            "Table 2: heatmap modules",
            (
                Row("module-1", "+ 3.2 module 1", 0.0307, "table-2/module-1.toml"),
                Row("module-2", "+ 3.2 module 2", 0.0364, "table-2/module-2.toml"),
                Row(
                    "module-2-predicted",
                    "+ 3.2 module 2, matrices predicted from the features",
                    None,
                    "table-2/module-2-predicted.toml",
                ),
                Row("module-3", "+ 3.2 module 3", 0.0300, "table-2/module-3.toml"),
                _MODULE_4,
                _FINETUNE,
                Row("squeeze", "attention squeezed to C x 1 x 1", None, "table-2/squeeze.toml"),
            ),
        ),
        PaperTable(
            Target.TABLE_3,
            "Table 3: other methods",
            (
                _quoted("pcpr", "PCPR [10]", 0.0780),
                _quoted("esr", "ESR [11]", 0.0799),
                _quoted("sdm", "SDM [39]", 0.0612, Kind.SDM),
                _quoted("3ddfa", "3DDFA [45]", 0.0542, Kind.MORPHABLE),
                _quoted("3ddfa-sdm", "3DDFA+SDM [45]", 0.0494),
                Row(
                    "hierarchical-binary",
                    "binary version [7]",
                    0.0326,
                    "table-3/hierarchical-binary.toml",
                ),
                Row("hierarchical", "real-valued version [7]", 0.0331, "table-3/hierarchical.toml"),
                Row("proposed", "proposed", 0.0296, _MODULE_4.config),
            ),
        ),
        _on_video(Target.TABLE_4, "Table 4: two stages, tracked over videos", (0.054, 0.043)),
        _on_video(Target.FIGURE_7, "Figure 7: cumulative errors of the tracker", (None, None)),
        PaperTable(
            Target.DEPARTURES,
            "What `fast` does and the paper does not, switched off one at a time",
            (
                replace(_FINETUNE, label="the paper's: module 4 and finetune module"),
                *(
                    Row(name, label, None, f"departures/{name}.toml")
                    for name, label in _DEPARTURES.items()
                ),
            ),
        ),
    )
}


def load_row(row: Row) -> TrainConfig:
    """The configuration behind a trained row, in the paper's size."""
    return load_config(_configs() / row.config)


def _configs() -> Path:
    beside = Path(__file__).parent / "configs"
    return beside if beside.is_dir() else Path(__file__).parents[3] / "configs"
