# Everything here works on a bare machine that has make and python3.
.DEFAULT_GOAL := help
.PHONY: help python install install-stack install-dev install-bench install-hrr run stack stack-down test bench bench-hrr requirements lock clean

# The first Python that is new enough; `make PYTHON=/path/to/python3` names another.
candidates := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
override PYTHON := $(shell for python in $(candidates); do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
BIN := .venv/bin
# How many tests run at once: on two cores a tenth faster than two, for some wait for servers.
WORKERS := 3
# The type checker imports Django's settings, which keep a secret in the home; that home is not yours.
CHECK_HOME := $(CURDIR)/.mypy_cache/home

help:
	@echo "make run           set up what is missing, then serve everything on this machine"
	@echo "make test          set up what is missing, then check style, types, layers and behaviour"
	@echo "make stack         set up what is missing, then start every real server on this machine, without Docker"
	@echo "make stack-down    stop them; their data stays"
	@echo "make bench         measure turns, the local model and cold start; prints JSON lines"
	@echo "make bench-hrr     measure holographic vectors beside torch-hd, whose torch takes 5 GB on Linux"
	@echo "make requirements  print which tests prove which requirement"
	@echo "make lock          write the locks anew (UPGRADE=--upgrade moves the versions)"
	@echo "make clean         remove the virtual environment and every cache; your data stays"

python:
	@test -n "$(PYTHON)" || { echo "SomaStack needs Python 3.11 or newer, and found none among: $(candidates)." \
		"Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }

install: python
	@"$(PYTHON)" requirements/install.py

install-stack: python
	@"$(PYTHON)" requirements/install.py full stack

install-dev: python
	@"$(PYTHON)" requirements/install.py full stack dev

install-bench: python
	@"$(PYTHON)" requirements/install.py full stack dev bench

install-hrr: python
	@"$(PYTHON)" requirements/install.py full stack dev bench hrr

# The clients of real servers are installed where the environment asks for one.
SERVERS := $(filter developer-full production%,$(SOMAGENT_DEPLOYMENT_MODE))$(SOMAGENT_KAFKA_SERVERS)$(SOMAGENT_REDIS_URL)
SERVERS := $(SERVERS)$(SOMAGENT_SPICEDB_ADDRESS)$(SOMAGENT_MILVUS_URL)

run: python
	@"$(PYTHON)" requirements/install.py $(if $(SERVERS),full)
	@$(BIN)/somagent up

stack: install-stack
	@$(BIN)/somagent stack up

stack-down:
	@$(BIN)/somagent stack down

test: install-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	SOMAGENT_HOME=$(CHECK_HOME) $(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/somagent stack fetch || test "$$SOMA_STACK" != required
	@# Hundreds of processes are started: what they import is to be compiled once.
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -n $(WORKERS)

bench: install-bench
	@$(BIN)/python -m benchmarks

bench-hrr: install-hrr
	@$(BIN)/python -m benchmarks --only hrr

requirements: install-dev
	@$(BIN)/python tests/requirements_matrix.py

UV_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)

lock: install
	$(UV_LOCK) requirements/tools.in --output-file requirements/tools.txt
	$(UV_LOCK) requirements/models.in --no-deps --output-file requirements/models.txt
	$(UV_LOCK) pyproject.toml --excludes requirements/excludes.txt --output-file requirements/base.txt
	$(UV_LOCK) pyproject.toml --extra full --excludes requirements/excludes.txt --constraints requirements/base.txt \
		--output-file requirements/full.txt
	$(UV_LOCK) --group stack --constraints requirements/base.txt --constraints requirements/full.txt \
		--output-file requirements/stack.txt
	$(UV_LOCK) --group dev --constraints requirements/base.txt --constraints requirements/full.txt \
		--output-file requirements/dev.txt
	$(UV_LOCK) --group bench --constraints requirements/base.txt --constraints requirements/dev.txt \
		--overrides requirements/overrides.txt \
		--output-file requirements/bench.txt
	$(UV_LOCK) --group hrr --constraints requirements/base.txt --constraints requirements/bench.txt \
		--output-file requirements/hrr.txt

clean:
	rm -rf .venv build dist src/*.egg-info .*_cache .hypothesis .coverage
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
