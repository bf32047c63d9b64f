# Pleura: every command a person types. Plain `make` prints this help.
#
#   make start    set up what is missing, build, diagnose the sample films, serve the page (SERVE=0: no page)
#   make test     set up what is missing, run everything: C under sanitizers, wasm, Node, three browsers, lint
#   make check    the quick part of the tests, before each commit
#   make fuzz     a minute of hostile input to each parser, in C, Python and JavaScript (FUZZ_SECONDS=60, FUZZ=image-png for one in C)
#   make fuzz-coverage  how much of each C file the committed corpora reach
#   make setup    install compilers, Emscripten, Node and Chromium where they are missing (Debian)
#   make wasm     build/pleura.wasm, the engine of page and command
#   make lib      build/libpleura.so, the same engine for C and Python
#   make types    build/types, the TypeScript declarations of the npm package
#   make install  header, library, pkg-config file and weights to PREFIX=/usr/local below DESTDIR; make uninstall
#   make site     build/site, the static page
#   make bench    Pleura beside other runtimes, in Node and in Chromium: tables and build/bench.json
#   make bench-folders  whole jobs beside onnxruntime, films a second: tables and build/folders.json; half an hour, needs the data
#   make same-bits  FILMS=10000 of the data through every compiler, Node and browser: a table and build/same-bits.json; hours, needs the data
#                   (PLACES='Node 22|WebKit' for some of them)
#   make soak     FILMS=10000 films through page, command and engine: table and build/soak.json; half an hour, needs the data
#   make samples  build/samples, a few openly licensed films
#   make model    train, export and write the goldens: needs the data, see README.md
#   make model-report  what an honest evaluation needs beyond `pleura evaluate`: model/report.md; two hours, needs the data
#   make picture  web/page.jpg for the README, from the phantom
#   make format   prettier, clang-format and black, 120 columns      make clean    remove build
#
# Variables: CC=gcc (native tests of `make check`), SERVE=0, PORT=8080, FILMS=10000, PLEURA_DATA=folder of the films.

ifeq ($(origin CC),default)
CC = clang
endif
SERVE  = 1
PORT   = 8080
FUZZ   = $(CORPORA)
FUZZ_SECONDS = 60
FILMS  = 10000
PLACES =
PREFIX     = /usr/local
INCLUDEDIR = $(PREFIX)/include
LIBDIR     = $(PREFIX)/lib
DATADIR    = $(PREFIX)/share
# A fused multiply-add would make native and wasm differ; stb_image's inverse DCT overflows on hostile coefficients.
COMMON = -std=c11 -ffp-contract=off -fwrapv -Wall -Wextra -Wshadow -Werror -Isrc -isystem build/include
SANITIZE = address,undefined,float-cast-overflow
NATIVE = $(COMMON) -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=$(SANITIZE)
WASM   = $(COMMON) -DNDEBUG -msimd128
LINK   = -O3 -msimd128 -Wl,--export-table,--growable-table --no-entry -sSTANDALONE_WASM -sALLOW_MEMORY_GROWTH -sMALLOC=emmalloc
HEADERS   = $(wildcard src/*.h src/*/*.h tests/*/*.h)
SOURCES   = $(filter-out src/engine/wasm.c src/nn/int8_relaxed.c, $(wildcard src/*.c src/*/*.c))
TESTS     = $(patsubst tests/%.c, build/$(CC)/%, $(wildcard tests/*/test_*.c))
# Corpus image-png belongs to tests/fuzz/image.c.
CORPORA   = weights-text weights-gguf image-png image-jpeg image-dicom image-bmp calls
FUZZERS   = $(patsubst tests/%.c, %, $(filter-out tests/fuzz/replay.c, $(wildcard tests/fuzz/*.c)))
# glibc's allocator otherwise hands every activation back to the system; threads that spin starve a busy machine.
TRAIN     = env -u OPENBLAS_CORETYPE MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=34359738368 MALLOC_TOP_PAD_=268435456 \
            GOMP_SPINCOUNT=0 OMP_WAIT_POLICY=passive /usr/bin/python3
SLOW      = $(wildcard $(addprefix tests/, cli/films.test.mjs page/s*.test.mjs package/*.test.mjs examples/*.test.mjs bench/*.test.mjs \
            dicom/hostile.test.mjs fuzz/files.test.mjs cli/manual.test.mjs engine/memory.test.mjs))
NODE_TESTS = $(filter-out tests/browser/%, $(wildcard tests/*.test.mjs tests/*/*.test.mjs))
# Node leaves a processor idle otherwise.
NODE_TEST = node --test --test-concurrency=$(shell nproc)
MODULES   = $(wildcard $(foreach wing, src web model tests, $(wing)/*.mjs $(wing)/*/*.mjs $(wing)/*/*/*.mjs))

PRETTIER      = node_modules/.bin/prettier --log-level warn
FORMATTED_JS  = $(shell git ls-files '*.mjs' '*.cjs' '*.ts' '*.css')
FORMATTED_C   = $(shell git ls-files '*.c' '*.h')
FORMATTED_PY  = $(shell git ls-files '*.py')

# Debian 12 has Node 18: setup puts a newer one here.
export PATH := $(CURDIR)/build/node/bin:$(PATH)

.PHONY: help start test check fuzz fuzz-coverage setup wasm lib types install uninstall site bench bench-folders bits same-bits soak samples model model-report picture format format-check clean native lint helpers
.DELETE_ON_ERROR:
.SECONDARY:

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

setup:
	@.ci/setup

wasm: build/pleura.wasm build/pleura.dot.wasm
lib: build/libpleura.so
types: build/types/node.d.mts

build/include/stb:
	@mkdir -p build/include
	ln -sfn /usr/include/stb $@

# Only these gain by speed; everything else small saves a third of the download. -O3 is another 5 KB for at most 2 %.
build/wasm/nn/f32_simd.o: OPTIMISE = -O3
HOT = image/jpeg.o image/jpeg_decode.o nn/int8_simd.o nn/net.o nn/f32_layers.o
$(addprefix build/wasm/, $(HOT)): OPTIMISE = -O2
build/wasm/%.o: OPTIMISE = -Oz
build/wasm/%.o: src/%.c $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	emcc $(WASM) $(OPTIMISE) -c $< -o $@

build/pleura.wasm: build/wasm/engine/wasm.o $(SOURCES:src/%.c=build/wasm/%.o)
	emcc $(LINK) $^ -o $@
	cd $(@D) && sha256sum $(@F) > $(@F).sha256

# Debian 12's Emscripten and its wasm-opt write relaxed SIMD that no engine takes any more.
build/pleura.dot.wasm: src/nn/int8_relaxed.c Makefile
	@mkdir -p build/wasm/nn
	clang-19 --target=wasm32 -O3 -msimd128 -mrelaxed-simd -Wall -Wextra -Werror -ffreestanding -c $< -o build/wasm/nn/int8_relaxed.o
	wasm-ld-19 --no-entry --import-memory --strip-all build/wasm/nn/int8_relaxed.o -o $@
	cd $(@D) && sha256sum $(@F) > $(@F).sha256

build/test_kernels.wasm: tests/nn/test_kernels.c $(addprefix build/wasm/nn/, expf.o f32_ref.o f32_simd.o int8_ref.o int8_simd.o)
	emcc $(WASM) $(LINK) -sEXPORTED_FUNCTIONS=_test_kernels $^ -o $@

build/libpleura.so: $(SOURCES) $(HEADERS) Makefile | build/include/stb
	$(CC) $(COMMON) -O3 -fPIC -shared $(filter %.c, $^) -lm -o $@

# The library that is installed exports what pleura.h declares; that of `make lib` all, for the training.
VERSION   = $(shell sed -n 's/.*"version": "\(.*\)".*/\1/p' package.json)
SONAME    = libpleura.so.$(firstword $(subst ., ,$(VERSION)))
INSTALLED = $(addprefix $(DESTDIR), $(INCLUDEDIR)/pleura/pleura.h $(INCLUDEDIR)/pleura/status.h $(LIBDIR)/libpleura.so.$(VERSION) \
            $(LIBDIR)/$(SONAME) $(LIBDIR)/libpleura.so $(LIBDIR)/pkgconfig/pleura.pc $(addprefix $(DATADIR)/pleura/, pleura.gguf LICENSE))

build/$(CC)/libpleura.so.$(VERSION): $(SOURCES) $(HEADERS) Makefile package.json | build/include/stb
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(COMMON) -DNDEBUG -O3 -fPIC -fvisibility=hidden -shared -Wl,-soname,$(SONAME) $(LDFLAGS) $(filter %.c, $^) -lm -o $@

install: build/$(CC)/libpleura.so.$(VERSION)
	install -d $(sort $(dir $(INSTALLED)))
	install -m 644 src/pleura.h src/status.h $(DESTDIR)$(INCLUDEDIR)/pleura
	install -m 755 $< $(DESTDIR)$(LIBDIR)
	ln -sf $(<F) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libpleura.so
	sed 's|@prefix@|$(PREFIX)|; s|@includedir@|$(INCLUDEDIR)|; s|@libdir@|$(LIBDIR)|; s|@datadir@|$(DATADIR)|; s|@version@|$(VERSION)|' \
	  src/engine/pleura.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/pleura.pc
	install -m 644 model/pleura.gguf model/LICENSE $(DESTDIR)$(DATADIR)/pleura

uninstall:
	rm -f $(INSTALLED)
	-rmdir $(DESTDIR)$(INCLUDEDIR)/pleura $(DESTDIR)$(DATADIR)/pleura

# The checks are those of `make lint`; here every type that may be undefined or null says so.
build/types/node.d.mts: $(wildcard src/*.mjs src/*/*.mjs src/*.cjs) package-lock.json
	@rm -rf $(@D)
	node_modules/.bin/tsc src/node.mjs src/node.cjs --allowJs --strict --noCheck --declaration --emitDeclarationOnly \
	  --outDir $(@D) --module nodenext --target es2022 --types node
	@touch $@

# Native tests: one folder a compiler, always under AddressSanitizer and UBSan.
build/$(CC)/%.o: src/%.c $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	$(CC) $(NATIVE) -c $< -o $@

build/$(CC)/%: tests/%.c $(SOURCES:src/%.c=build/$(CC)/%.o) $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(NATIVE) $(filter %.c %.o, $^) -lm -o $@

# ThreadSanitizer does not go with AddressSanitizer.
build/$(CC)/engine/test_threads: tests/engine/test_threads.c $(SOURCES) $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	$(CC) $(COMMON) -O1 -g -pthread -fsanitize=thread $(filter %.c, $^) -lm -o $@

# wasm.c is part of tests/fuzz/calls.c.
build/$(CC)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(SOURCES:src/%.c=build/$(CC)/%.o) $(HEADERS) src/engine/wasm.c Makefile
	@mkdir -p $(@D)
	$(CC) $(NATIVE) $(filter tests/%.c %.o, $^) -lm -o $@

# stb_image copies an empty IDAT chunk to nowhere.
build/$(CC)/image/decode.o build/fuzz/image/decode.o: SANITIZE += -fno-sanitize=nonnull-attribute

# MemorySanitizer, which sees what is read before it is written, goes with no other, and only clang has it.
MEMORY = $(COMMON) -O1 -g -fno-sanitize-recover=all -fsanitize=memory
build/memory/%.o: src/%.c $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	clang $(MEMORY) -c $< -o $@

build/memory/%: tests/%.c tests/fuzz/replay.c $(SOURCES:src/%.c=build/memory/%.o) $(HEADERS) src/engine/wasm.c Makefile
	@mkdir -p $(@D)
	clang $(MEMORY) $(filter tests/%.c %.o, $^) -lm -o $@

# Every file of the corpora, and with them all that the fuzzers have ever found, goes through its target again.
REPLAYED = $(CC) $(if $(filter clang, $(CC)), memory)
native: $(TESTS) $(foreach folder, $(REPLAYED), $(FUZZERS:%=build/$(folder)/%))
	@set -e; for test in $(TESTS); do echo "$$test"; "$$test"; done
	@set -e; for folder in $(REPLAYED); do for corpus in $(CORPORA); do \
	  build/$$folder/fuzz/$${corpus%%-*} tests/fuzz/corpus/$$corpus/*; done; done

build/fuzz/%.o: src/%.c $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	clang $(COMMON) -O2 -g -fno-sanitize-recover=all -fsanitize=fuzzer-no-link,$(SANITIZE) -c $< -o $@

build/fuzz/%: tests/%.c $(SOURCES:src/%.c=build/fuzz/%.o) $(HEADERS) src/engine/wasm.c Makefile
	@mkdir -p $(@D)
	clang $(COMMON) -O2 -g -fno-sanitize-recover=all -fsanitize=fuzzer,$(SANITIZE) $(filter tests/%.c %.o, $^) -lm -o $@

# No header is left out as one of the system: stb_image counts.
build/coverage/%: tests/%.c tests/fuzz/replay.c $(SOURCES) $(HEADERS) src/engine/wasm.c Makefile | build/include/stb
	@mkdir -p $(@D)
	clang $(subst -isystem,-w -I,$(COMMON)) -O1 -fprofile-instr-generate -fcoverage-mapping $(filter-out src/engine/wasm.c, $(filter %.c, $^)) -lm -o $@

# Grown corpora stay in build/fuzz. What a finding or a corpus adds to the committed one: build/fuzz/fuzz/image -merge=1
# tests/fuzz/corpus/image-png build/fuzz/image-png. Nothing in there may come from a film.
fuzz: $(FUZZERS:%=build/fuzz/%) $(if $(filter file, $(origin FUZZ)), wasm lib)
	@set -e; for corpus in $(FUZZ); do mkdir -p build/fuzz/$$corpus; \
	  build/fuzz/fuzz/$${corpus%%-*} -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2560 -malloc_limit_mb=4096 \
	  -artifact_prefix=build/fuzz/found-$$corpus- build/fuzz/$$corpus tests/fuzz/corpus/$$corpus; done
ifeq ($(origin FUZZ),file)
	/usr/bin/python3 tests/fuzz/converter.py $(FUZZ_SECONDS) 1
	node tests/fuzz/files.mjs $(FUZZ_SECONDS) 1
endif

fuzz-coverage: $(FUZZERS:%=build/coverage/%)
	@.ci/setup fuzz
	@set -e; for corpus in $(CORPORA); do \
	  LLVM_PROFILE_FILE=build/coverage/$$corpus.profraw build/coverage/fuzz/$${corpus%%-*} tests/fuzz/corpus/$$corpus/* >&2; done
	@llvm-profdata merge build/coverage/*.profraw -o build/coverage/all.profdata
	@llvm-cov report build/coverage/fuzz/calls $(patsubst %, -object build/coverage/fuzz/%, image weights) \
	  -instr-profile=build/coverage/all.profdata -ignore-filename-regex='tests/|simde'

lint: format-check | build/include/stb
	node_modules/.bin/tsc -p src
	@set -e; for module in $(MODULES); do node --check "$$module"; done
	@set -e; for source in $(SOURCES); do \
	  clang --analyze -Xclang -analyzer-werror -Xclang -analyzer-output=text -o /dev/null $(COMMON) "$$source"; done

# The programs that the Node tests run besides the command.
helpers: build/test_kernels.wasm $(patsubst tests/%.c, build/$(CC)/%, tests/bits/bits.c tests/image/film.c)

check: wasm lib lint native
	@$(MAKE) --no-print-directory helpers CC=clang
	$(NODE_TEST) $(filter-out $(SLOW), $(NODE_TESTS))

test:
	@.ci/setup test
	@$(MAKE) --no-print-directory wasm lib types helpers lint CC=clang
	@$(MAKE) --no-print-directory -j2 bits
	@$(MAKE) --no-print-directory native CC=clang
	@$(MAKE) --no-print-directory native CC=gcc
	@$(MAKE) --no-print-directory site
	$(NODE_TEST) --test-reporter=spec $(NODE_TESTS) $(wildcard tests/browser/*.test.mjs)

site: wasm
	node web/site/build.mjs

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

bench-folders: setup
	@$(MAKE) --no-print-directory wasm tests/bench/node_modules/.package-lock.json
	@node --test tests/bench/bench.test.mjs
	@node tests/bench/folders.mjs

# The native engine as others may compile it: both compilers, every level, no sanitizers.
BITS = $(foreach cc, gcc clang, $(addprefix build/bits/$(cc)-O, 0 1 2 3))
$(BITS): build/bits/%: tests/bits/bits.c $(SOURCES) $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	$(subst -, $(COMMON) -,$*) $(filter %.c, $^) -lm -o $@

bits: $(BITS)

same-bits:
	@.ci/setup test
	@$(MAKE) --no-print-directory site bits
	@node tests/bits/same-bits.mjs $(FILMS) '$(PLACES)'

soak: site
	@node tests/soak/soak.mjs $(FILMS)

samples: wasm
	@node model/samples/fetch.mjs

start: setup
	@$(MAKE) --no-print-directory samples
	@node src/cli.mjs build/samples
ifneq ($(SERVE),0)
	@$(MAKE) --no-print-directory site
	@node web/site/serve.mjs $(PORT)
endif

model: lib
	@.ci/setup model
	cd model && $(TRAIN) -m training.train --lungs
	cd model && $(TRAIN) -m training.train
	cd model && $(TRAIN) -m training.export
	cd model && $(TRAIN) -m training.goldens
	$(TRAIN) tests/convert/make_onnx.py
	cd model && sha256sum pleura.gguf > pleura.gguf.sha256

model-report: lib
	@.ci/setup model
	@cd model && for fold in cohen hannover cxnet bimcv nih kermany; do $(TRAIN) -m training.train --leave-out $$fold --steps 1200 || exit 1; done
	cd model && $(TRAIN) -m report

picture: site
	node tests/browser/picture.mjs

format:
	$(PRETTIER) --write $(FORMATTED_JS)
	clang-format -i $(FORMATTED_C)
	black -q -l 120 $(FORMATTED_PY)

# Other versions of the formatters of C and Python break lines elsewhere, so only these are asked.
format-check:
	$(PRETTIER) --check $(FORMATTED_JS)
	@case "$$(clang-format --version)" in *" 14."*) clang-format --dry-run -Werror $(FORMATTED_C) ;; \
	  *) echo "C is not checked: its format is that of clang-format 14" >&2 ;; esac
	@case "$$(black --version)" in "black, 23."*) black -q -l 120 --check $(FORMATTED_PY) ;; \
	  *) echo "Python is not checked: its format is that of black 23" >&2 ;; esac

clean:
	rm -rf build
