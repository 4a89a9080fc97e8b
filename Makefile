# Two commands matter: `make report` publishes the demo's reports, `make test` runs the tests. Both build .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A module's tests stay together, so that what they share is made once.
TWO := -n 2 --dist loadscope
# A shell that forbids bytecode makes every later start several times slower.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report test test-all lint lock lab schedule docs bench bench-forecast clean

report: $(VENV)/.installed
	$(BIN)/svcanalytics demo

test: $(VENV)/.installed lint
	$(BIN)/python -m pytest $(TWO) -m "not slow and not browser"

test-all: $(VENV)/.installed lint
	$(BIN)/python -m pytest $(TWO)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

lab: $(VENV)/.installed
	$(BIN)/svcanalytics lab

# Loads dropped files and publishes what is due; without svcanalytics.toml it works for the demonstration.
schedule: $(VENV)/.installed
	test -f svcanalytics.toml || $(BIN)/svcanalytics demo
	$(BIN)/python -m pipelines

# The documentation as a site, opened from site/index.html; a warning fails it.
docs: $(VENV)/.installed
	$(BIN)/python docs/build.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

# The stamp is written last, so an install that was interrupted is done again.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("svcanalytics needs Python 3.11 or newer; set PYTHON=python3.x") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	touch $@

# The libraries the forecasts are compared with need packages that the product must do without, so they live apart.
bench-forecast: $(VENV)-peers/.installed
	$(VENV)-peers/bin/python -m benchmarks forecast

$(VENV)-peers/.installed: benchmarks/peers.lock pyproject.toml
	test -x $(VENV)-peers/bin/python || $(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r benchmarks/peers.lock
	$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	touch $@

# Resolve the newest versions that pyproject.toml allows; needs uv.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --upgrade --quiet -o requirements.lock
	uv pip compile pyproject.toml --group dev --group peers --constraint requirements.lock --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet -o benchmarks/peers.lock

clean:
	rm -rf $(VENV) $(VENV)-peers data/demo reports site
