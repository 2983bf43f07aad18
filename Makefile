.PHONY: check docs fix test

check:
	.ci/check

docs:
	python -m sphinx --quiet --fresh-env --fail-on-warning -d build/doctrees docs build/docs

fix:
	ruff check --fix .
	ruff format .

test:
	python -m pytest
