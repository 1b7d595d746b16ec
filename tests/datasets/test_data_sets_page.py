"""``docs/data-sets.md`` names what there is."""

import ast
import importlib
import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "data-sets.md").read_text(encoding="utf-8")


def test_every_reader_of_the_table_exists_and_every_module_has_one_row() -> None:
    readers = re.findall(r"^\| [^|]+ \| `(\w+)\.(read_\w+)` \|", PAGE, re.MULTILINE)
    assert len(readers) == 6
    for module, reader in readers:
        assert callable(getattr(importlib.import_module(f"mien.datasets.public.{module}"), reader))


def test_what_the_examples_import_is_there() -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 2
    for statement in (part for text in examples for part in ast.walk(ast.parse(text))):
        if isinstance(statement, ast.ImportFrom):
            module = importlib.import_module(str(statement.module))
            for name in statement.names:
                assert hasattr(module, name.name)
