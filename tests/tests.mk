# Everything that tests, checks, fuzzes and measures Pleura. The Makefile includes this file.

SLOW   =
FUZZ   = $(CORPORA)
FUZZ_SECONDS = 60
FILMS  = 10000
PLATFORMS =

.PHONY: test check sanitized sanitized-clang sanitized-gcc optimised-gcc helpers lint lint-types-src lint-types-web lint-syntax \
        fuzz fuzz-coverage interval-coverage bits same-bits soak bench bench-all bench-film bench-folders bench-large bench-page bench-server walk-through

# ---- The whole run, its quick part, and single wings ----

# Independent targets run side by side; each prints its output in one piece.
PARALLEL = $(MAKE) --no-print-directory --jobs=$(shell nproc) --output-sync=target
BROWSER_TESTS = $(wildcard tests/browser/*.test.mjs)
NODE_TESTS    = $(filter-out $(BROWSER_TESTS), $(wildcard tests/*.test.mjs tests/*/*.test.mjs))
# What all people have is tested; native.test.mjs compares the rest with it.
IN_WASM       = PLEURA_ENGINE=wasm
# A test file that takes more than a few seconds is called NAME.slow.test.mjs.
quick = $(if $(SLOW),$1,$(filter-out %.slow.test.mjs,$1))

test:
	@.ci/setup test
	@$(PARALLEL) sanitized-clang optimised-gcc bits wasm native lib types helpers site lint
	$(IN_WASM) node tests/run.mjs $(BROWSER_TESTS) $(NODE_TESTS)

check:
	@.ci/setup check
	@$(PARALLEL) sanitized wasm native lib helpers site lint
	$(IN_WASM) node --test --test-concurrency=$(shell nproc) $(call quick,$(NODE_TESTS))

# test-WING runs the C programs of a wing under sanitizers, then its test files. NEEDS_WING is what these files read
# from build/; the default is the wasm.
NEEDS_nn      =
NEEDS_image   = build/clang/image/film
NEEDS_engine  = wasm native helpers
NEEDS_weights = wasm helpers
NEEDS_convert = wasm lib helpers
NEEDS_page    = site
NEEDS_package = wasm lib types site
NEEDS_browser = site bits helpers
NEEDS_fuzz    = wasm $(CORPORA:%=replay/$(CC)/%)
wing_programs = $(filter run/$(CC)/$1/% run/$(CC)-threads/$1/%, $(call programs,$(CC)))
wing_needs    = $(if $(filter undefined,$(origin NEEDS_$1)),wasm,$(NEEDS_$1))
wing_tests    = $(call quick,$(wildcard tests/$1/*.test.mjs))
test-%:
	@test -d tests/$* || { echo "there is no wing tests/$*" >&2; exit 1; }
	@$(PARALLEL) $(or $(call wing_programs,$*) $(call wing_needs,$*),help)
	$(if $(call wing_tests,$*),$(IN_WASM) node --test --test-concurrency=$(shell nproc) $(call wing_tests,$*))

# ---- The engine, compiled for tests ----

# $(call variant,FOLDER,COMPILER,FLAGS) gives rules for build/FOLDER/x.o from src/x.c, and for the program
# build/FOLDER/x from tests/x.c. A fuzz target gets a main() that reads files, from replay.c; calls.c includes wasm.c.
define variant
build/$1/%.o: src/%.c $$(HEADERS) $$(RULES) | build/include/stb
	@mkdir -p $$(@D)
	$2 $3 -c $$< -o $$@

build/$1/%: tests/%.c $$(SOURCES:src/%.c=build/$1/%.o)
	@mkdir -p $$(@D)
	$2 $3 $$(filter %.c %.o, $$^) -lm -o $$@

build/$1/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c src/engine/wasm.c $$(SOURCES:src/%.c=build/$1/%.o)
	@mkdir -p $$(@D)
	$2 $3 $$(filter tests/%.c %.o, $$^) -lm -o $$@
endef

# AddressSanitizer and UBSan go together; ThreadSanitizer and MemorySanitizer (reads of what was never written; clang
# only) each need a build of their own.
SANITIZE = address,undefined,float-cast-overflow
NATIVE = $(COMMON) -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=$(SANITIZE)
$(foreach cc, clang gcc, \
  $(eval $(call variant,$(cc),$(cc),$$(NATIVE))) \
  $(eval $(call variant,$(cc)-threads,$(cc),$$(COMMON) -O1 -g -pthread -fsanitize=thread)))
$(eval $(call variant,memory,clang,$$(COMMON) -O1 -g -fno-sanitize-recover=all -fsanitize=memory))
# build/gcc-O3 and the like: without sanitizers, as other people may compile the engine. libpleura.so is that of CC at -O3.
$(foreach cc, clang gcc, $(foreach level, 0 1 2 3, $(eval $(call variant,$(cc)-O$(level),$(cc),$$(COMMON) -O$(level) -fPIC))))
$(if $(filter clang gcc, $(COMPILER)),,$(eval $(call variant,$(COMPILER)-O3,$(CC),$$(COMMON) -O3 -fPIC)))

# stb_image copies an empty IDAT chunk, no bytes at all, to a null pointer.
build/%/image/decode.o: SANITIZE += -fno-sanitize=nonnull-attribute

# The programs that test files in JavaScript run.
helpers: build/test_kernels.wasm $(patsubst tests/%.c, build/clang/%, tests/bits/bits.c tests/image/film.c)

build/test_kernels.wasm: tests/nn/test_kernels.c $(addprefix build/wasm/nn/, expf.o f32_ref.o f32_simd.o int8_ref.o int8_simd.o)
	emcc $(WASM) $(LINK) -sEXPORTED_FUNCTIONS=_test_kernels $^ -o $@

# ---- Native tests ----

# run/FOLDER/TEST runs a program of a variant; replay/FOLDER/CORPUS runs a fuzz target over all files of a corpus, which
# hold whatever the fuzzers have found. Corpus image-png belongs to tests/fuzz/image.c.
CORPORA  = weights-text weights-gguf image-png image-jpeg image-dicom image-bmp calls
FUZZERS  = $(patsubst tests/%.c, %, $(filter-out tests/fuzz/replay.c, $(wildcard tests/fuzz/*.c)))
programs = $(foreach test, $(patsubst tests/%.c, %, $(wildcard tests/*/test_*.c)), \
             run/$1$(if $(filter %/test_threads, $(test)),-threads)/$(test))

sanitized: sanitized-$(CC)
sanitized-clang: $(call programs,clang) $(CORPORA:%=replay/clang/%) $(CORPORA:%=replay/memory/%)
sanitized-gcc: $(call programs,gcc) $(CORPORA:%=replay/gcc/%)
# `make test` needs the sanitizers of one compiler.
optimised-gcc: $(filter-out %/test_threads, $(call programs,gcc-O3)) $(CORPORA:%=replay/gcc-O3/%)

run/%: build/%
	$<

.SECONDEXPANSION:
replay/%: build/$$(*D)/fuzz/$$(firstword $$(subst -, ,$$(*F)))
	$< tests/fuzz/corpus/$(*F)/*

# ---- Lint ----

lint: format-check lint-types-src lint-types-web lint-syntax $(SOURCES:src/%.c=build/analysed/%)

TSC = node_modules/typescript/bin/tsc --incremental --tsBuildInfoFile
lint-types-src:
	$(TSC) build/types-src.json -p src

lint-types-web:
	$(TSC) build/types-web.json -p web

# Parses every module, also those that no type check and no test reaches.
lint-syntax:
	@node_modules/.bin/esbuild $(shell git ls-files '*.mjs') --outdir=build/parsed --log-level=warning

# Of 15 planted faults, 75,000 states of a function find the same five as the usual 225,000, in half the time.
ANALYSER = -analyzer-werror -analyzer-output=text -analyzer-config max-nodes=75000
build/analysed/%: src/%.c $(HEADERS) | build/include/stb
	@mkdir -p $(@D)
	clang --analyze $(ANALYSER:%=-Xclang %) -o /dev/null $(COMMON) $<
	@touch $@

# ---- Fuzzing ----

# The fuzzers keep the corpora that they grow, and what they find, in build/libfuzzer. To add it to the committed
# corpus: build/libfuzzer/image -merge=1 tests/fuzz/corpus/image-png build/libfuzzer/corpus/image-png. No film may go in
# there.
LIBFUZZER = $(COMMON) -O2 -g -fno-sanitize-recover=all
build/libfuzzer/objects/%.o: src/%.c $(HEADERS) $(RULES) | build/include/stb
	@mkdir -p $(@D)
	clang $(LIBFUZZER) -fsanitize=fuzzer-no-link,$(SANITIZE) -c $< -o $@

build/libfuzzer/%: tests/fuzz/%.c $(SOURCES:src/%.c=build/libfuzzer/objects/%.o) src/engine/wasm.c
	@mkdir -p $(@D)
	clang $(LIBFUZZER) -fsanitize=fuzzer,$(SANITIZE) $(filter tests/%.c %.o, $^) -lm -o $@

#: make fuzz           FUZZ_SECONDS=60 of hostile input to each parser, in C, Python and JavaScript
#:                     (FUZZ=image-png: only this one)
fuzz: $(FUZZERS:fuzz/%=build/libfuzzer/%) $(if $(filter file, $(origin FUZZ)), wasm lib)
	@set -e; for corpus in $(FUZZ); do mkdir -p build/libfuzzer/corpus/$$corpus; \
	  build/libfuzzer/$${corpus%%-*} -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2560 -malloc_limit_mb=4096 \
	  -artifact_prefix=build/libfuzzer/found-$$corpus- build/libfuzzer/corpus/$$corpus tests/fuzz/corpus/$$corpus; done
ifeq ($(origin FUZZ),file)
	/usr/bin/python3 tests/fuzz/converter.py $(FUZZ_SECONDS) 1
	node tests/fuzz/files.mjs $(FUZZ_SECONDS) 1
endif

# No header counts as one of the system, so that the report includes stb_image.
build/coverage/%: tests/%.c tests/fuzz/replay.c $(SOURCES) $(HEADERS) src/engine/wasm.c $(RULES) | build/include/stb
	@mkdir -p $(@D)
	clang $(subst -isystem,-w -I,$(COMMON)) -O1 -fprofile-instr-generate -fcoverage-mapping \
	  $(filter-out src/engine/wasm.c, $(filter %.c, $^)) -lm -o $@

#: make interval-coverage  how often 95 % intervals contain the truth, in 5,000 simulated studies per cell; minutes
interval-coverage:
	ROUNDS=5000 node --test --test-name-pattern='simulated studies' tests/stats/intervals.test.mjs

#: make fuzz-coverage  how much of each C file the committed corpora reach
fuzz-coverage: $(FUZZERS:%=build/coverage/%)
	@.ci/setup fuzz
	@set -e; for corpus in $(CORPORA); do \
	  LLVM_PROFILE_FILE=build/coverage/$$corpus.profraw build/coverage/fuzz/$${corpus%%-*} tests/fuzz/corpus/$$corpus/* >&2; done
	@llvm-profdata merge build/coverage/*.profraw -o build/coverage/all.profdata
	@llvm-cov report build/coverage/fuzz/calls $(patsubst %, -object build/coverage/fuzz/%, image weights) \
	  -instr-profile=build/coverage/all.profdata -ignore-filename-regex='tests/|simde'

# ---- The same bits everywhere ----

# The native engine of both compilers, at the levels of optimisation that LEVELS names; `make same-bits` has them all.
LEVELS  = 0 3
bits_of = $(foreach level, $1, build/clang-O$(level)/bits/bits build/gcc-O$(level)/bits/bits)
bits: $(call bits_of,$(LEVELS))

#: make same-bits      FILMS=10000 films through every compiler, Node and browser: a table and build/same-bits.json;
#:                     hours, needs the data (PLATFORMS='Node 22|WebKit': only these)
same-bits:
	@.ci/setup test
	@$(PARALLEL) site bits LEVELS="0 1 2 3"
	@node tests/bits/same-bits.mjs $(FILMS) '$(PLATFORMS)'

# ---- Endurance and speed ----

#: make soak           FILMS=10000 films through page, command and engine: a table and build/soak.json;
#:                     half an hour, needs the data
soak: site
	@node tests/soak/soak.mjs $(FILMS)

build/bench/peak.wasm: tests/bench/peak.c $(RULES) | build/include/stb
	@mkdir -p $(@D)
	emcc $(WASM) $(LINK) -sEXPORTED_FUNCTIONS=_peak $< -o $@

# Only the benchmark needs the runtimes that it compares with.
tests/bench/node_modules/.package-lock.json: tests/bench/package-lock.json
	cd $(<D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# AGAINST: a commit, built in a checkout of its own.
AGAINST =
ifeq ($(AGAINST),)
bench: bench-all
else
COMMIT := $(shell git rev-parse --short=12 $(AGAINST))
bench: build/against/$(COMMIT)/build/pleura.wasm wasm tests/bench/node_modules/.package-lock.json
	@node tests/bench/against.mjs $(CURDIR)/build/against/$(COMMIT)
endif

build/against/%/build/pleura.wasm:
	@mkdir -p build/against/$*
	git archive $* Makefile tests/tests.mk src tests package.json | tar -x -C build/against/$*
	@$(MAKE) --no-print-directory -C build/against/$* wasm

bench-all: setup
	@$(MAKE) --no-print-directory wasm build/bench/peak.wasm tests/bench/node_modules/.package-lock.json
	@node tests/bench/bench.mjs

#: make walk-through   the README's way from training in Keras to the page, each command; needs PyPI, minutes
walk-through: build/pleura.wasm
	@node tests/examples/keras/walk_through.mjs

#: make bench-film     where the time of a film goes, step by step, in WebAssembly and as machine code
bench-film: wasm native
	@node tests/bench/film.mjs

#: make bench-folders  whole jobs beside onnxruntime, in films per second: tables and build/folders.json;
#:                     half an hour, needs the data
bench-folders: setup
	@$(MAKE) --no-print-directory wasm native tests/bench/node_modules/.package-lock.json
	@node --test tests/bench/bench.test.mjs
	@node tests/bench/folders.mjs

#: make bench-large    films of 3,000 x 3,000 pixels in every format beside native decoders: a table and build/large.json
bench-large: wasm
	@.ci/setup test
	@node tests/bench/large.mjs

#: make bench-page     .github/performance.md, from what these benchmarks have measured
bench-page:
	node tests/bench/performance.mjs

#: make bench-server   the sample server under 200 connections for a minute: films, health checks, memory
bench-server: wasm types
	@node tests/bench/server.mjs
