.PHONY: check fix test

check:
	.ci/check

fix:
	ruff check --fix .
	ruff format .

test:
	python -m pytest
