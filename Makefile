# Pleura: every command that people type. Plain `make` prints this help.
#
#   make start    install what is missing, build, classify the sample films, serve the page (not with SERVE=0)
#   make test     install what is missing, then run everything: C under sanitizers, wasm, Node, three browsers, lint
#   make check    the quick part of the tests, before each commit
#   make test-nn  the quick tests of one wing, in seconds; also test-image, test-cli, ... (SLOW=1: all of its tests)
#   make site     build/site, the static page
#   make bench    Pleura beside other runtimes, in Node and in Chromium: tables and build/bench.json;
#                 with AGAINST=COMMIT only this build beside that of a commit, so that a loss of 3 % is seen
#   make model    train, export and write the goldens; needs the data, see README.md
#   make install  header, library, pkg-config file and weights below PREFIX=/usr/local (DESTDIR is put before it)
#   make format   format everything with prettier, clang-format and black
#   make help-all  list the other targets
#
# Variables: CC=gcc (compiler of the native tests), SERVE=0, PORT=8080, PLEURA_DATA=the folder of the films.

ifeq ($(origin CC),default)
CC = clang
endif
# CC in names of folders: it may be a path, or have options.
EMPTY    =
COMPILER = $(subst /,-,$(subst $(EMPTY) ,-,$(CC)))
SERVE  = 1
PORT   = 8080
PREFIX     = /usr/local
INCLUDEDIR = $(PREFIX)/include
LIBDIR     = $(PREFIX)/lib
DATADIR    = $(PREFIX)/share
# A fused multiply-add would make native and wasm differ. The inverse DCT of stb_image overflows on hostile
# coefficients. clang at -O1 does not vectorise the loops that SIMDe asks it to.
COMMON = -std=c11 -ffp-contract=off -fwrapv -Wall -Wextra -Wshadow -Wno-pass-failed -Werror -Isrc -isystem build/include
WASM   = $(COMMON) -DNDEBUG -msimd128
LINK   = -O3 -msimd128 -Wl,--export-table,--growable-table --no-entry -sSTANDALONE_WASM -sALLOW_MEMORY_GROWTH -sMALLOC=emmalloc
HEADERS   = $(wildcard src/*.h src/*/*.h tests/*/*.h)
SOURCES   = $(filter-out src/engine/wasm.c src/engine/node.c src/nn/int8_relaxed.c, $(wildcard src/*.c src/*/*.c))
RULES     = Makefile tests/tests.mk
# Training runs in build/venv, an environment with a current PyTorch, where there is one, else with that of Debian.
# By default glibc returns each activation to the system, and threads that spin starve a busy machine.
TRAIN     = env -u OPENBLAS_CORETYPE MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=34359738368 MALLOC_TOP_PAD_=268435456 \
            GOMP_SPINCOUNT=0 OMP_WAIT_POLICY=passive $(or $(wildcard $(CURDIR)/build/venv/bin/python), /usr/bin/python3)

PRETTIER      = node_modules/.bin/prettier --log-level warn --cache --cache-location=build/prettier
FORMATTED_JS  = $(shell git ls-files '*.mjs' '*.cjs' '*.ts' '*.css')
FORMATTED_C   = $(shell git ls-files '*.c' '*.h')
FORMATTED_PY  = $(shell git ls-files '*.py')

# Debian 12 has Node 18, so .ci/setup puts a newer one here.
export PATH := $(CURDIR)/build/node/bin:$(PATH)

.PHONY: help help-all start setup wasm lib native types install uninstall site samples model model-smoke model-report picture format format-check release-notes sbom clean
.DELETE_ON_ERROR:
.SECONDARY:

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

# A comment that begins with #: describes a target for this list.
help-all: help
	@sed -n 's/^#: /  /p' $(RULES)

include tests/tests.mk

#: make setup          install compilers, Emscripten, Node and Chromium where they are missing (Debian)
setup:
	@.ci/setup

#: make wasm           build/pleura.wasm, the engine of page and command
#: make lib            build/libpleura.so, the same engine for C and Python
#: make native         build/pleura.node, the engine as machine code of this machine for Node: faster, the same bits
#: make types          build/types, the TypeScript declarations of the npm package
wasm: build/pleura.wasm build/pleura.dot.wasm
lib: build/libpleura.so
native: build/pleura.node
types: build/types/pleura.d.mts build/types/pleura.d.cts

build/include/stb:
	@mkdir -p build/include
	ln -sfn /usr/include/stb $@

# Only these files gain from speed. Building the rest for size saves a third of the download; -O3 everywhere would add
# another 5 KB for at most 2 %.
build/wasm/nn/net.o: OPTIMISE = -Os
$(addprefix build/wasm/nn/, f32_simd.o int8_simd.o): OPTIMISE = -O2
build/wasm/%.o: OPTIMISE = -Oz
build/wasm/%.o: src/%.c $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	emcc $(WASM) $(OPTIMISE) -c $< -o $@

build/pleura.wasm: build/wasm/engine/wasm.o $(SOURCES:src/%.c=build/wasm/%.o)
	emcc $(LINK) $^ -o $@
	cd $(@D) && sha256sum $(@F) > $(@F).sha256

# The relaxed SIMD that Debian 12's Emscripten writes is an older draft, which every engine now rejects.
build/pleura.dot.wasm: src/nn/int8_relaxed.c Makefile
	@mkdir -p build/wasm/nn
	clang-19 --target=wasm32 -O3 -msimd128 -mrelaxed-simd -Wall -Wextra -Werror -ffreestanding -c $< -o build/wasm/nn/int8_relaxed.o
	wasm-ld-19 --no-entry --import-memory --strip-all build/wasm/nn/int8_relaxed.o -o $@
	cd $(@D) && sha256sum $(@F) > $(@F).sha256

build/libpleura.so: $(SOURCES:src/%.c=build/$(COMPILER)-O3/%.o)
	$(CC) -shared $^ -lm -o $@

# What is released: machine code that exports only what is declared so.
RELEASE_FLAGS = $(COMMON) -DNDEBUG -O3 -fPIC -fvisibility=hidden
build/release-$(COMPILER)/%.o: src/%.c $(HEADERS) Makefile | build/include/stb
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(RELEASE_FLAGS) -c $< -o $@

# Node uses it only beside the wasm of the same source.
UNDEFINED = $(if $(filter Darwin, $(shell uname)),-undefined dynamic_lookup)
build/pleura.node: src/engine/node.c src/engine/wasm.c $(SOURCES:src/%.c=build/release-$(COMPILER)/%.o) build/pleura.wasm
	$(CC) $(CFLAGS) $(RELEASE_FLAGS) -shared $(UNDEFINED) -isystem node_modules/node-api-headers/include \
	  -DPLEURA_WASM_SHA256='"$(firstword $(shell cat build/pleura.wasm.sha256))"' $< $(filter %.o, $^) -lm -o $@
	cd $(@D) && sha256sum $(@F) > $(@F).sha256

# The installed library exports what pleura.h declares. That of `make lib` exports everything, for the training.
VERSION   = $(shell sed -n 's/.*"version": "\(.*\)".*/\1/p' package.json)
SONAME    = libpleura.so.$(firstword $(subst ., ,$(VERSION)))
INSTALLED = $(addprefix $(DESTDIR), $(INCLUDEDIR)/pleura/pleura.h $(INCLUDEDIR)/pleura/status.h $(LIBDIR)/libpleura.so.$(VERSION) \
            $(LIBDIR)/$(SONAME) $(LIBDIR)/libpleura.so $(LIBDIR)/pkgconfig/pleura.pc $(addprefix $(DATADIR)/pleura/, pleura.gguf LICENSE))

build/release-$(COMPILER)/libpleura.so.$(VERSION): $(SOURCES:src/%.c=build/release-$(COMPILER)/%.o)
	$(CC) $(CFLAGS) -shared -Wl,-soname,$(SONAME) $(LDFLAGS) $^ -lm -o $@

install: build/release-$(COMPILER)/libpleura.so.$(VERSION)
	install -d $(sort $(dir $(INSTALLED)))
	install -m 644 src/pleura.h src/status.h $(DESTDIR)$(INCLUDEDIR)/pleura
	install -m 755 $< $(DESTDIR)$(LIBDIR)
	ln -sf $(<F) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libpleura.so
	sed 's|@prefix@|$(PREFIX)|; s|@includedir@|$(INCLUDEDIR)|; s|@libdir@|$(LIBDIR)|; s|@datadir@|$(DATADIR)|; s|@version@|$(VERSION)|' \
	  src/engine/pleura.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/pleura.pc
	install -m 644 model/pleura.gguf model/LICENSE $(DESTDIR)$(DATADIR)/pleura

#: make uninstall      remove what `make install` put there; give it the same variables
uninstall:
	rm -f $(INSTALLED)
	-rmdir $(DESTDIR)$(INCLUDEDIR)/pleura $(DESTDIR)$(DATADIR)/pleura

# Both module systems get the declarations that `make lint` checks the doors against.
build/types/pleura.d.mts build/types/pleura.d.cts: src/types.d.ts
	@mkdir -p $(@D)
	cp $< $@

site: wasm
	node web/site/build.mjs

#: make samples        build/samples, a few openly licensed films
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
	cd model && $(TRAIN) -m training.quantise
	cd model && $(TRAIN) -m training.export
	cd model && $(TRAIN) -m training.data --seen pleura.films
	cd model && $(TRAIN) -m training.goldens
	$(TRAIN) tests/convert/make_onnx.py
	cd model && sha256sum pleura.gguf > pleura.gguf.sha256

#: make model-smoke    every step of `make model` on a few films, in a minute: build/smoke/pleura.gguf, which knows nothing
SMOKE = env PLEURA_DATA=$(CURDIR)/build/smoke/data PLEURA_TRAINED=$(CURDIR)/build/smoke $(TRAIN)
model-smoke: lib
	rm -rf build/smoke
	/usr/bin/python3 tests/model/few_films.py "$${PLEURA_DATA:-../shared/data}" build/smoke/data
	cd model && $(SMOKE) -m training.train --lungs --steps 16
	cd model && $(SMOKE) -m training.train --seed 1 --steps 5
	cd model && $(SMOKE) -m training.quantise --network seed-1 --steps 2
	cd model && $(SMOKE) -m training.export --network seed-1 --out ../build/smoke/pleura.gguf

#: make model-report   model/report.md, what an honest evaluation needs beyond `pleura evaluate`; two hours, needs the data
model-report: lib
	@.ci/setup model
	cd model && $(TRAIN) -m training.train --leave-out all
	cd model && $(TRAIN) -m report

#: make picture        web/page.jpg, phone.jpg and narrow.jpg for README and manifest, from the phantom
picture: site
	node tests/browser/picture.mjs

format:
	$(PRETTIER) --write $(FORMATTED_JS)
	clang-format -i $(FORMATTED_C)
	black -q -l 120 $(FORMATTED_PY)

# Other versions of clang-format and black break lines elsewhere, so only these two versions are trusted.
format-check:
	@$(PRETTIER) --check $(FORMATTED_JS)
	@case "$$(clang-format --version)" in *" 14."*) clang-format --dry-run -Werror $(FORMATTED_C) ;; \
	  *) echo "C is not checked: its format is that of clang-format 14" >&2 ;; esac
	@case "$$(black --version)" in "black, 23."*) black -q -l 120 --check $(FORMATTED_PY) ;; \
	  *) echo "Python is not checked: its format is that of black 23" >&2 ;; esac

#: make release-notes  the section of RELEASE=0.1.0 in the changelog
RELEASE = $(VERSION)
release-notes:
	@awk -v want='## [$(RELEASE)]' 'index($$0, "## [") == 1 { found = index($$0, want) == 1 } found' .github/CHANGELOG.md | \
	  sed 1,2d | grep . || { echo "the changelog has no section for $(RELEASE)" >&2; exit 1; }

#: make sbom           the parts of others that ship, with versions, licences and hashes, in CycloneDX 1.6
sbom:
	@node .ci/sbom.mjs

#: make clean          remove build
clean:
	rm -rf build
