# Targets run in the active virtual environment, which holds '.[test]'.
.PHONY: test lint types imports table docs demo ci coverage

test:
	pytest

# Lines and branches that the tests reach; needs '.[dev]', and longer than the tests alone.
coverage:
	pytest --cov=mien --cov-branch --cov-report=term:skip-covered

lint:
	ruff check
	ruff format --check

types:
	mypy

imports:
	lint-imports

# The tables of README, docs/accuracy.md, docs/data.md, docs/expression.md, docs/sources.md,
# docs/speed.md and docs/results.md are what the committed result files say.
table:
	python benchmarks/readme_table.py --check
	python benchmarks/headline.py --check
	python benchmarks/data_table.py --check
	python benchmarks/shapes_table.py --check
	python benchmarks/sources_page.py --check
	python benchmarks/speed_page.py --check
	python benchmarks/paper_results.py --check

# The site, in site/; needs '.[docs]'. A dead link or a name that is gone is an error.
docs:
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

demo:
	mien demo --out out/

# Fresh virtual environments in a temporary folder, as a stranger would start.
ci:
	.ci/run
