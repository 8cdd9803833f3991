# make demo            sets up everything, runs the main job, prints a table and the path of a PDF
# make test            sets up everything, runs the tests
# make install         the command alone: .venv/bin/tinycerb
# make check           formatting, lint and types
# make format          mends formatting and what lint can mend
# make doctor          tells what is missing
#
# Programs that test the tests, or take long:
# make fuzz            20,000 damaged model, side and golden files, libFuzzer on what the firmware reads, 6,000 mutants as
#                      firmware; FUZZ_FIRST=6000 goes on with the next mutants
# make mutation        small wrong changes in MODULE=tinycerb/bench/verdict.py or a folder: do its tests notice? minutes a module
# make fault-injection kill -9, full disks and the like at fifty points of two runs; about an hour
#
# Benchmarks (tests/benchmarks/); ARGS=--write renews committed counts, RUN=runs/... names a finished run:
# make compression     the table of docs/compression.md; an hour or two, goes on where it was stopped
# make bench-training  step time of training beside a bare tf_keras fit
# make bench-matrix    time of a matrix's cells with one worker and with two; on a machine with nothing else to do
# make bench-attacks   the attacks that docs/adaptive_attacks.md recommends on one victim: RUN, VICTIM
# make bench-gradients how much slope an 8-bit model shows to finite differences: RUN, VICTIM
# make bench-art       ART's KnockoffNets beside TinyCerb's: RUN, VICTIM
# make bench-ownership how well `tinycerb verify` tells clones, after removals too; rows in files of their own
# make bench-own-kind-mark whether a mark reaches thieves with own-kind images alone: an experiment, no part of the product
# make bench-separation pairs of separation and protection from finished runs: ARGS="TASK=RUN ..."
# make bench-responses what defences' responses cost on the host and on an emulated M4
# make bench-kernels   instructions of the firmware's kernels beside CMSIS-NN's, and cycles of M55's inner loops
# make bench-cycles    instructions and estimated cycles of whole networks on M0, M3 and M4
# make bench-upstream  whole networks beside TFLite Micro with CMSIS-NN, from trees that you have: TFLM=DIR CMSIS_NN=DIR
# make firmware-matrix every backbone and forty random models on every emulated core; about half an hour
#
# make docs-tables     writes the tables of options in docs/ from what the code declares
# make lock            resolves requirements/*.in again
# make clean           removes the virtual environment, caches and builds

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
FASHION_MNIST := /usr/share/datasets/fashion-mnist
# An optional command prefix that makes the current user root without asking for a password.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test install check format doctor fuzz mutation fault-injection
.PHONY: compression bench-training bench-matrix bench-attacks bench-gradients bench-art bench-ownership bench-own-kind-mark bench-separation bench-responses bench-kernels bench-cycles bench-upstream
.PHONY: firmware-matrix docs-tables lock clean run-given upstream-given data firmware-tools llvm-tools cxx-tools fuzz-tools rp2040js

demo: install data
	$(BIN)/tinycerb run demo

# Two at a time, files kept together: fixtures of a file are made once.
test: $(DEV) data firmware-tools llvm-tools rp2040js
	$(BIN)/python -m pytest -n 2 --dist loadfile

install: $(RUNTIME)

check: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: $(DEV)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

doctor: install
	$(BIN)/tinycerb doctor

# Mutant N is the same everywhere: a number is all that is needed to go on, or to make an offender again.
FUZZ_FIRST := 0
FUZZ_COUNT := 6000
fuzz: $(DEV) data fuzz-tools
	TINYCERB_FUZZ_FILES=20000 TINYCERB_FUZZ_SECONDS=45 $(BIN)/python -m pytest -s tests/fuzz/test_fuzz.py tests/fuzz/test_c_fuzz.py tests/fuzz/libfuzzer.py
	$(BIN)/python -m tests.fuzz.fuzz_lowering --first $(FUZZ_FIRST) --count $(FUZZ_COUNT) --folder build/fuzz

# One file, or all of a folder: make mutation MODULE=tinycerb/bench, make mutation MODULE=firmware_stub/runtime
MODULE ?= tinycerb/bench/verdict.py
mutation: $(DEV)
	$(BIN)/python -m tests.mutation.$(if $(filter firmware_stub/%,$(MODULE)),c_mutants,python_mutants) $(MODULE)

POINTS ?= 50
SEED ?= 1
fault-injection: $(DEV) data
	$(BIN)/python -m tests.fault_injection --points $(POINTS) --seed $(SEED)

COMPRESSION := runs/compression
compression: install data
	for net in demo_net mobilenet_v1 ds_cnn resnet8; do \
	  case $$net in mobilenet_v1) width=0.25 recovery=10;; *) width=1.0 recovery=7;; esac; \
	  if [ -d $(COMPRESSION)/$$net ]; then $(BIN)/tinycerb run --resume $(COMPRESSION)/$$net || exit; \
	  else $(BIN)/tinycerb run docs/experiments/compression.toml --set model.backbone=$$net --set model.width=$$width --set training.recovery_epochs=$$recovery --out $(COMPRESSION)/$$net || exit; fi; \
	done
	$(BIN)/tinycerb compare --markdown $(COMPRESSION)/*

bench-training: $(DEV)
	$(BIN)/python -m tests.benchmarks.training_step $(ARGS)

bench-matrix: $(DEV) data
	$(BIN)/python -m tests.benchmarks.matrix_workers

# A finished run and one of its victims, for the benchmarks that need them.
VICTIM ?= undefended
run-given:
	@[ -n "$(RUN)" ] || { echo "error: RUN is empty; expected: the directory of a finished run, as in make $(MAKECMDGOALS) RUN=runs/..." >&2; exit 2; }

bench-attacks: run-given $(DEV) data
	$(BIN)/python -m tests.benchmarks.attack_figures $(RUN) $(VICTIM) $(ARGS)

bench-gradients: run-given $(DEV) data
	$(BIN)/python -m tests.benchmarks.gradient_masking $(RUN) $(VICTIM) $(ARGS)

bench-art: run-given $(DEV) data
	$(BIN)/python -m tests.benchmarks.art_comparison $(RUN) $(VICTIM) $(ARGS)

bench-ownership: $(DEV) data
	$(BIN)/python -m tests.benchmarks.ownership $(ARGS)

bench-own-kind-mark: $(DEV) data
	$(BIN)/python -m tests.benchmarks.own_kind_mark $(ARGS)

bench-separation: $(DEV) data
	$(BIN)/python -m tests.benchmarks.separation $(ARGS)

bench-responses: $(DEV) firmware-tools
	$(BIN)/python -m tests.benchmarks.responses

bench-kernels: $(DEV) firmware-tools llvm-tools
	$(BIN)/python -m tests.benchmarks.kernels $(if $(CMSIS_NN),--cmsis-nn $(CMSIS_NN)) $(ARGS)
	$(BIN)/python -m tests.benchmarks.inner_loops $(ARGS)

bench-cycles: $(DEV) firmware-tools
	$(BIN)/python -m tests.benchmarks.cycles $(ARGS)

upstream-given:
	@[ -n "$(TFLM)" ] && [ -n "$(CMSIS_NN)" ] || { echo "error: TFLM is '$(TFLM)', CMSIS_NN is '$(CMSIS_NN)'; expected: your clones of https://github.com/tensorflow/tflite-micro and https://github.com/ARM-software/CMSIS-NN, as in make bench-upstream TFLM=../tflite-micro CMSIS_NN=../CMSIS-NN" >&2; exit 2; }

bench-upstream: upstream-given $(DEV) firmware-tools cxx-tools
	$(BIN)/python -m tests.benchmarks.upstream $(TFLM) $(CMSIS_NN) $(ARGS)

firmware-matrix: $(DEV) firmware-tools
	$(BIN)/python -m tests.benchmarks.firmware_matrix $(ARGS)
	$(BIN)/python -m tests.benchmarks.firmware_matrix --random

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not here. TinyCerb needs Python 3.11 (tflite-runtime has no later wheel): sudo apt-get install -y python3.11 python3.11-venv, or make PYTHON=/path/to/python3.11" >&2; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "error: $(PYTHON) is not Python 3.11; call make PYTHON=/path/to/python3.11" >&2; exit 3; }
	@echo "making $(VENV)" >&2
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) 2>/dev/null \
	  || { $(SUDO) apt-get update -q >&2 && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3.11-venv >&2 && $(PYTHON) -m venv $(VENV); } \
	  || { echo "error: $(PYTHON) cannot make a virtual environment; install it with: sudo apt-get install -y python3.11-venv" >&2; exit 3; }
	@touch $@

$(RUNTIME): $(VENV)/.created requirements/runtime.lock requirements/data.lock pyproject.toml
	@echo "installing packages: a 0.9 GB download, one to five minutes" >&2
	@$(PIP) install --require-hashes --only-binary :all: -r requirements/runtime.lock
	@# animal-mnist asks for packages that it does not need to be read.
	@$(PIP) install --require-hashes --no-deps --only-binary :all: -r requirements/data.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.lock
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

# Debian's package where it can be had without a prompt; otherwise the first run downloads through tf_keras.
data:
	@[ -d $(FASHION_MNIST) ] \
	  || { $(SUDO) apt-get install -y -q dataset-fashion-mnist >/dev/null 2>&1 \
	    || { $(SUDO) apt-get update -q >/dev/null 2>&1 && $(SUDO) apt-get install -y -q dataset-fashion-mnist >/dev/null 2>&1; } \
	    || echo "Fashion-MNIST is not installed and cannot be without a prompt; trying tf_keras.datasets instead. To install it: sudo apt-get install -y dataset-fashion-mnist" >&2; }

FIRMWARE_TOOLS := gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm cmake gcc libc6-dev

# The cross compiler and the emulator: installed where that needs no prompt.
firmware-tools:
	@for tool in arm-none-eabi-gcc qemu-system-arm cmake gcc; do command -v $$tool >/dev/null || missing=1; done; [ -z "$$missing" ] \
	  || { $(SUDO) apt-get update -q >/dev/null 2>&1; $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $(FIRMWARE_TOOLS) >/dev/null 2>&1; } \
	  || { echo "error: the firmware's tools are not installed and cannot be without a prompt; install them with: sudo apt-get install -y $(FIRMWARE_TOOLS)" >&2; exit 3; }

# Scheduling models of cores that nothing emulates cycle by cycle.
llvm-tools:
	@command -v llvm-mca-19 >/dev/null \
	  || { $(SUDO) apt-get update -q >/dev/null 2>&1; $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends llvm-19 >/dev/null 2>&1; } \
	  || { echo "error: llvm-mca-19 is not installed and cannot be without a prompt; install it with: sudo apt-get install -y llvm-19" >&2; exit 3; }

# TFLite Micro is C++; its library for the cores is a download of 313 MB.
cxx-tools:
	@[ -e "$$(arm-none-eabi-g++ -print-file-name=libstdc++_nano.a)" ] \
	  || { $(SUDO) apt-get update -q >/dev/null 2>&1; $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends libstdc++-arm-none-eabi-newlib >/dev/null 2>&1; } \
	  || { echo "error: the cross compiler has no C++ library and none can be installed without a prompt; install it with: sudo apt-get install -y libstdc++-arm-none-eabi-newlib" >&2; exit 3; }

fuzz-tools:
	@command -v clang >/dev/null \
	  || { $(SUDO) apt-get update -q >/dev/null 2>&1; $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends clang >/dev/null 2>&1; } \
	  || { echo "error: clang is not installed and cannot be without a prompt; install it with: sudo apt-get install -y clang" >&2; exit 3; }

# An emulator of the Raspberry Pi Pico's chip, from npm; for the tests alone.
RP2040JS := tests/firmware/rp2040/node_modules/.installed
rp2040js: $(RP2040JS)

$(RP2040JS): tests/firmware/rp2040/package.json tests/firmware/rp2040/package-lock.json
	@command -v npm >/dev/null \
	  || { $(SUDO) apt-get update -q >/dev/null 2>&1; $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs npm >/dev/null 2>&1; } \
	  || { echo "error: npm is not installed and cannot be without a prompt; install it with: sudo apt-get install -y nodejs npm" >&2; exit 3; }
	@cd tests/firmware/rp2040 && npm ci --no-audit --no-fund --loglevel error >/dev/null \
	  || { echo "error: rp2040js could not be installed; try it by hand: cd tests/firmware/rp2040 && npm ci" >&2; exit 3; }
	@touch $@

docs-tables: $(DEV)
	$(BIN)/python -m tests.docs.option_tables

lock: $(DEV)
	@$(PIP) install pip-tools==7.6.2
	cd requirements && for set in runtime dev; do ../$(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o $$set.lock $$set.in; done

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis *.egg-info build
