# Everything a developer or a first visitor runs. Needs python3 >= 3.11 with pip and venv, make and
# git; no root. Another interpreter: `make demo PYTHON=python3.12`. A second environment beside the
# first: `make test PYTHON=python3.13 VENV=.venv-3.13`.

PYTHON ?= python3
VENV ?= .venv
# Any environment that's there will do, unless an interpreter is asked for by name.
CREATED := $(VENV)/.created$(if $(filter file,$(origin PYTHON)),,-with-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
ARGS ?=
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# A person's own pip settings (an index mirror, a proxy, certificates) hold, except those that would
# put the packages somewhere else than into the environment or change what the lock files say.
unexport PYTHONHOME PYTHONPATH PIP_CONSTRAINT PIP_DRY_RUN PIP_EDITABLE \
	PIP_IGNORE_INSTALLED PIP_NO_BINARY PIP_NO_DEPS PIP_ONLY_BINARY PIP_PREFIX PIP_PYTHON \
	PIP_REQUIREMENT PIP_ROOT PIP_TARGET PIP_USER
# Tests start hundreds of processes, each of which would compile the package.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Wheels only: an ordinary machine has no compiler, and a clear "no matching distribution" beats a
# page of a failed build.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-input --no-user
FROM_LOCK := $(PIP_INSTALL) --only-binary :all: --require-hashes
THIS_PACKAGE := $(PIP_INSTALL) --no-deps --no-build-isolation --editable .

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name what; do \
		printf '  make %-17s %s\n' "$$name" "$$what"; done

.PHONY: demo
demo: $(VENV)/.installed ## Install what the lock says, run the job on a small simulated portal
	$(BIN)/dpss demo $(ARGS)

# Those of one file stay together (tests/conftest.py). ARGS=-n0: one after the other. Quick tests never
# wait: two processes keep two cores busy; of all tests some wait for servers and time limits: three.
WORKERS ?=
PYTEST = $(BIN)/python -m pytest -n $(or $(WORKERS),$(1)) --dist loadfile --no-loadscope-reorder \
	--max-worker-restart 0

# Lint runs beside the tests, and what it says comes after theirs. $(1): processes unless WORKERS says
# how many; $(2): pytest's arguments.
define lint_and_test
@log=$$(mktemp); $(MAKE) --no-print-directory lint >"$$log" 2>&1 & lint=$$!; \
	code=0; $(call PYTEST,$(1)) $(2) || code=$$?; \
	wait $$lint || code=$$?; cat "$$log"; rm -f "$$log"; exit $$code
endef

.PHONY: check
check: $(VENV)/.installed-dev ## Lint, types, import rules and the quick tests: a minute
	$(call lint_and_test,2,-q -m "not slow" --hypothesis-profile quick tests/unit tests/laws tests/structure $(ARGS))

.PHONY: test
test: $(VENV)/.installed-dev ## Install, then lint, types, import rules and all tests (ARGS="-k name" for some)
	$(call lint_and_test,3,$(ARGS))

.PHONY: lint
lint: $(VENV)/.installed-dev ## Lint, formatting, types and import rules only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Not among the developer's tools: it brings Node. The version that CI has, too.
.PHONY: types
types: $(VENV)/.installed-dev ## Check the public types with pyright, as a user's editor does
	$(BIN)/uv tool run --quiet --from "pyright[nodejs]==1.1.414" pyright $(ARGS)

.PHONY: format
format: $(VENV)/.installed-dev ## Format the code and mend what can be mended by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.installed-dev ## Measure time and memory beside scanpy
	$(BIN)/python -m benchmarks.run $(ARGS)

.PHONY: beside-scanpy
beside-scanpy: $(VENV)/.installed-dev ## Compare the embedding with scanpy's pipeline (MATRIX=pbmc4k.h5ad; needs igraph)
	$(BIN)/python tools/beside_scanpy.py $(MATRIX) --output build/beside-scanpy

READER ?= mtx
SECONDS ?= 600
SEED ?= 1
.PHONY: fuzz
fuzz: $(VENV)/.installed-dev ## Try damaged files on a reader (READER=mtx SECONDS=600 SEED=1)
	$(BIN)/python -W ignore -m tests.fuzz $(READER) --seconds $(SECONDS) --seed $(SEED)

.PHONY: rehearsal
rehearsal: $(VENV)/.installed-dev ## Rehearse four days of a portal of 532 projects on a loopback S3 (half an hour on a machine of its own)
	$(BIN)/python -m tests.cloud.rehearsal $(ARGS)

.PHONY: release-rehearsal
release-rehearsal: $(VENV)/.installed-dev ## Build, publish to an index on loopback, install from it, run the demo
	$(BIN)/python tools/release.py rehearse

.PHONY: reference
reference: $(VENV)/.installed ## Write the reference of commands, settings, formats and checks from the code
	$(BIN)/python tools/reference.py

.PHONY: docs
docs: $(VENV)/.installed-dev ## Build the documentation's site into build/docs, without a network
	$(BIN)/python tools/site.py $(ARGS)

.PHONY: notebooks
notebooks: $(VENV)/.installed-dev ## Run the tutorials' notebooks, and store what comes out
	$(BIN)/python tools/notebooks.py $(ARGS)

.PHONY: gallery
gallery: $(VENV)/.installed-dev ## Make the gallery's images of simulated samples
	$(BIN)/python tools/gallery.py $(ARGS)

.PHONY: diagrams
diagrams: $(VENV)/.installed-dev ## Draw the documentation's diagrams (needs Node and Chromium)
	$(BIN)/python tools/diagrams.py $(ARGS)

SNAKEMAKE_VERSION ?= 9.27.1
.PHONY: integrations
integrations: $(VENV)/.installed-dev ## Run the Snakemake wrapper with Snakemake, in an environment of its own
	$(PYTHON) -m venv build/integrations
	build/integrations/bin/python -m pip install --quiet --no-input snakemake==$(SNAKEMAKE_VERSION)
	SNAKEMAKE=$(CURDIR)/build/integrations/bin/snakemake $(BIN)/python -m pytest -n0 tests/integrations

.PHONY: readme-figure
readme-figure: $(VENV)/.installed ## Make the README's figure from the demo's data
	$(BIN)/dpss demo --output demo
	cp demo/portal/heart/heart/highly_variable_genes.png docs/images/

# To add a dependency: name it in pyproject.toml (run time: `dependencies`; tests and checks: `dev`),
# run `make lock`, give its reason in docs/adr/0001-dependencies.md, and commit pyproject.toml and the
# requirements*.lock files together. The pins of all others stay as they are.
.PHONY: lock
lock: $(VENV)/.tools ## Write the lock files (ARGS=--upgrade, or ARGS="--upgrade-package NAME")
	$(BIN)/python tools/lock.py $(ARGS)

# The container, and AWS: docs/how-to/deploy.md. ENV is dev, integration, staging or prod.
ENV ?= dev
DEPLOYMENT := "$(PYTHON)" tools/deployment.py

.PHONY: image
image: ## Build the container's image (ENV=dev: for the architecture of its task)
	$(DEPLOYMENT) image --env $(ENV)

.PHONY: push
push: ## Push the image of this commit to the deployment's repository
	$(DEPLOYMENT) push --env $(ENV)

.PHONY: deploy
deploy: ## Set up or change the deployment, with the pushed image (asks; YES=1 doesn't)
	$(DEPLOYMENT) deploy --env $(ENV)

.PHONY: run-now
run-now: ## Start the deployed job once and follow its log
	$(DEPLOYMENT) run-now --env $(ENV)

SHARDS ?= 40
CONCURRENCY ?= 10
.PHONY: first-run
first-run: ## The first full run, in SHARDS=40 tasks, CONCURRENCY=10 at a time
	$(DEPLOYMENT) first-run --env $(ENV) --shards $(SHARDS) --concurrency $(CONCURRENCY)

.PHONY: destroy
destroy: ## Destroy the deployment (asks)
	$(DEPLOYMENT) destroy --env $(ENV)

.PHONY: sbom
sbom: ## Write the image's bill of materials and the list of licences (after make image)
	$(DEPLOYMENT) sbom --env $(ENV)

# What is missing (terraform, its provider, a container engine) is said and skipped.
.PHONY: test-infra
test-infra: $(VENV)/.installed-dev $(VENV)-infra/.installed ## Test the container and the infrastructure, for real and on loopback
	DPSS_TEST_INFRA=1 PATH="$(abspath $(VENV)-infra)/bin:$$PATH" $(BIN)/python -m pytest tests/infra $(ARGS)

$(VENV)-infra/.installed: $(CREATED) tests/infra/tools.lock
	"$(PYTHON)" -m venv --clear "$(VENV)-infra"
	$(VENV)-infra/bin/python -m pip install --quiet --no-input --only-binary :all: --require-hashes -r tests/infra/tools.lock
	@touch "$@"

.PHONY: clean
clean: ## Remove the environment and what the checks left
	rm -rf $(VENV) $(VENV)-infra build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The rest makes the environment, once, and again when its lock file changes.

$(CREATED):
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "No $(PYTHON) here. Install Python 3.11 or newer, or name one: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$("$(PYTHON)" --version 2>&1), but Python 3.11 or newer is needed." \
			"If you have a newer one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) lacks the venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear "$(VENV)"
	@touch "$@" "$(VENV)/.created"

$(VENV)/.installed: $(CREATED) requirements.lock requirements-build.lock pyproject.toml
	@echo "Installing into $(VENV): about a minute the first time."
	$(FROM_LOCK) -r requirements-build.lock -r requirements.lock
	$(THIS_PACKAGE)
	@touch "$@"

$(VENV)/.installed-dev: $(CREATED) requirements-dev.lock pyproject.toml
	@echo "Installing into $(VENV), with the tests' tools: about a minute the first time."
	$(FROM_LOCK) -r requirements-dev.lock
	$(THIS_PACKAGE)
	@touch "$@" "$(VENV)/.tools" "$(VENV)/.installed"

# Only what `make lock` needs: it must run while a lock file is stale or missing.
$(VENV)/.tools: $(CREATED)
	$(PIP_INSTALL) uv
	@touch "$@"
