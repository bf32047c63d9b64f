# Pleura: every command a person types. Plain `make` prints this help.
#
#   make start    set up what is missing, build, diagnose the sample films, serve the page (SERVE=0: no page)
#   make test     set up what is missing, run everything: C under sanitizers, wasm, Node, Chromium, lint
#   make check    the quick part of the tests, before each commit
#   make setup    install compilers, Emscripten, Node and Chromium where they are missing (Debian)
#   make wasm     build/pleura.wasm, the engine of page and command
#   make lib      build/libpleura.so, the same engine for C and Python
#   make site     build/site, the static page
#   make bench    Pleura beside other runtimes, in Node and in Chromium: tables and build/bench.json
#   make samples  build/samples, a few openly licensed films
#   make model    train, export and write the goldens: needs the data, see README.md
#   make picture  web/page.jpg for the README, from the phantom
#   make format   strip trailing blanks      make clean    remove build
#
# Variables: CC=gcc (native tests of `make check`), SERVE=0, PORT=8080, PLEURA_DATA=folder of the films.

ifeq ($(origin CC),default)
CC = clang
endif
SERVE  = 1
PORT   = 8080
# A fused multiply-add would make native and wasm differ; stb_image's inverse DCT overflows on hostile coefficients.
COMMON = -std=c11 -ffp-contract=off -fwrapv -Wall -Wextra -Wshadow -Werror -Isrc -isystem build/include
NATIVE = $(COMMON) -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined
WASM   = $(COMMON) -DNDEBUG -msimd128
LINK   = -O3 -msimd128 -Wl,--export-table,--growable-table --no-entry -sSTANDALONE_WASM -sALLOW_MEMORY_GROWTH -sMALLOC=emmalloc
HEADERS   = $(wildcard src/*.h tests/*.h)
SOURCES   = $(filter-out src/wasm.c src/int8_dot.c, $(wildcard src/*.c))
TESTS     = $(patsubst tests/%.c, build/$(CC)/%, $(wildcard tests/test_*.c))
# glibc's allocator otherwise hands every activation back to the system; threads that spin starve a busy machine.
TRAIN     = env -u OPENBLAS_CORETYPE MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=34359738368 MALLOC_TOP_PAD_=268435456 \
            GOMP_SPINCOUNT=0 OMP_WAIT_POLICY=passive /usr/bin/python3
SLOW      = $(addprefix tests/, films.test.mjs site.test.mjs serve.test.mjs dicom_hostile.test.mjs)
MODULES   = $(wildcard src/*.mjs web/*.mjs model/*.mjs tests/*.mjs tests/browser/*.mjs tests/bench/*.mjs)

# Debian 12 has Node 18: setup puts a newer one here.
export PATH := $(CURDIR)/build/node/bin:$(PATH)

.PHONY: help start test check setup wasm lib site bench samples model picture format clean native lint helpers
.DELETE_ON_ERROR:
.SECONDARY:

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

setup:
	@.ci/setup

wasm: build/pleura.wasm build/pleura.dot.wasm
lib: build/libpleura.so

build/include/stb:
	@mkdir -p build/include
	ln -sfn /usr/include/stb $@

# Only these two gain by speed; everything else small saves a third of the download.
build/wasm/kernels_simd.o build/wasm/int8_simd.o build/wasm/net.o: OPTIMISE = -O3
build/wasm/%.o: OPTIMISE = -Oz
build/wasm/%.o: src/%.c $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	emcc $(WASM) $(OPTIMISE) -c $< -o $@

build/pleura.wasm: build/wasm/wasm.o $(SOURCES:src/%.c=build/wasm/%.o)
	emcc $(LINK) $^ -o $@

# Debian 12's Emscripten and its wasm-opt write relaxed SIMD that no engine takes any more.
build/pleura.dot.wasm: src/int8_dot.c Makefile
	@mkdir -p build/wasm
	clang-19 --target=wasm32 -O3 -msimd128 -mrelaxed-simd -Wall -Wextra -Werror -ffreestanding -c $< -o build/wasm/int8_dot.o
	wasm-ld-19 --no-entry --import-memory --strip-all build/wasm/int8_dot.o -o $@

build/test_kernels.wasm: tests/test_kernels.c $(addprefix build/wasm/, kernels_ref.o kernels_simd.o int8_ref.o int8_simd.o)
	emcc $(WASM) $(LINK) -sEXPORTED_FUNCTIONS=_test_kernels $^ -o $@

build/libpleura.so: $(SOURCES) $(HEADERS) Makefile | build/include/stb
	$(CC) $(COMMON) -O3 -fPIC -shared $(filter %.c, $^) -lm -o $@

# Native tests: one folder a compiler, always under AddressSanitizer and UBSan.
build/$(CC)/%.o: src/%.c $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	$(CC) $(NATIVE) -c $< -o $@

build/$(CC)/%: tests/%.c $(SOURCES:src/%.c=build/$(CC)/%.o) $(HEADERS) Makefile
	$(CC) $(NATIVE) $(filter %.c %.o, $^) -lm -o $@

native: $(TESTS)
	@set -e; for test in $(TESTS); do echo "$$test"; "$$test"; done

lint: | build/include/stb
	@set -e; for module in $(MODULES); do node --check "$$module"; done
	@set -e; for source in $(SOURCES); do \
	  clang --analyze -Xclang -analyzer-werror -Xclang -analyzer-output=text -o /dev/null $(COMMON) "$$source"; done

# The programs that the Node tests run besides the command.
helpers: build/test_kernels.wasm $(patsubst tests/%.c, build/$(CC)/%, $(filter-out tests/test_%, $(wildcard tests/*.c)))

check: wasm lib lint native
	@$(MAKE) --no-print-directory helpers CC=clang
	node --test $(filter-out $(SLOW), $(wildcard tests/*.test.mjs))

test: setup
	@$(MAKE) --no-print-directory wasm lib helpers lint CC=clang
	@$(MAKE) --no-print-directory native CC=clang
	@$(MAKE) --no-print-directory native CC=gcc
	@$(MAKE) --no-print-directory site
	node --test --test-reporter=spec $(wildcard tests/*.test.mjs tests/browser/*.test.mjs)

site: wasm
	node web/build.mjs

build/bench/peak.wasm: tests/bench/peak.c Makefile | build/include/stb
	@mkdir -p $(@D)
	emcc $(WASM) $(LINK) -sEXPORTED_FUNCTIONS=_peak $< -o $@

# The runtimes to compare with: nothing but the benchmark needs them.
tests/bench/node_modules/.package-lock.json: tests/bench/package-lock.json
	cd $(<D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

bench: setup
	@$(MAKE) --no-print-directory wasm build/bench/peak.wasm tests/bench/node_modules/.package-lock.json
	@node tests/bench/bench.mjs

samples: wasm
	@node model/samples.mjs

start: setup
	@$(MAKE) --no-print-directory samples
	@node src/cli.mjs build/samples
ifneq ($(SERVE),0)
	@$(MAKE) --no-print-directory site
	@node web/serve.mjs $(PORT)
endif

model: lib
	@.ci/setup model
	$(TRAIN) model/train.py --lungs
	$(TRAIN) model/export.py
	$(TRAIN) model/goldens.py
	$(TRAIN) model/convert_goldens.py
	cd model && sha256sum pleura.gguf > pleura.gguf.sha256

picture: site
	node web/picture.mjs

format:
	@sed -i 's/[[:blank:]]*$$//' $$(git ls-files '*.c' '*.h' '*.mjs' '*.py' '*.css' '*.html' '*.md' '*.json')

clean:
	rm -rf build
