# latentd: build, try, test. `make help` lists the targets.
#
# MODE=release (default) | asan | tsan | double | fuzz. Each mode has its own folder under build/. Plain `make` needs a
# compiler and the libraries of deploy/setup.sh; no network, npm, Python or sudo.

MODE ?= release
O := build/$(MODE)
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif

PACKAGES := libmicrohttpd libcjson libpng sqlite3 zlib nettle libarchive
# Asked once per make, and not at all for targets that compile nothing.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(PACKAGES)))$(PKG_LIBS)

VERSION := 0.1.0
COMMIT = $(eval COMMIT := $(shell git describe --always --dirty 2>/dev/null || echo unknown))$(COMMIT)

WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
	-Wpointer-arith -Wundef -Wvla -Wno-missing-field-initializers -Werror
# Contraction is the compiler's whim; multiply-adds are written out (core/kern/vec.h). No -ffast-math, no -march=native.
BASE := -std=gnu11 -D_GNU_SOURCE -I. -I$(O) -g -fno-math-errno -ffp-contract=off -fno-strict-aliasing -pthread -MMD -MP $(WARN)
HARDEN := -fstack-protector-strong -fPIE
# clang 14 has this only behind a flag that later ones refuse.
ifeq (,$(findstring clang,$(CC)))
HARDEN += -ftrivial-auto-var-init=zero
endif

CFLAGS_release := -O2 $(HARDEN) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-clash-protection -fcf-protection=full
LDFLAGS_release := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
# Some eighty tests are linked for each sanitizer: gold, where it is, takes half the time.
QUICK_LINK = $(eval QUICK_LINK := $(if $(shell command -v ld.gold),-fuse-ld=gold))$(QUICK_LINK)
# Their reports need lines, not variables: -g1 compiles and links sooner.
CFLAGS_asan := -O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS_asan := -fsanitize=address,undefined $(QUICK_LINK)
CFLAGS_tsan := -O1 -g1 -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS_tsan := -fsanitize=thread $(QUICK_LINK)
CFLAGS_fuzz := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined
CFLAGS_double := -O2 -g1 -DLATENTD_DOUBLE
LDFLAGS_double :=

ARCH ?= $(shell uname -m)
ifeq ($(ARCH),x86_64)
CFLAGS_ARCH := -march=x86-64-v2
LEVELS := baseline avx2 avx512
else ifeq ($(ARCH),aarch64)
LEVELS := neon
CFLAGS_release := $(filter-out -fcf-protection=full,$(CFLAGS_release))
else
LEVELS := baseline
endif
CFLAGS_baseline :=
CFLAGS_avx2 := -march=x86-64-v3
CFLAGS_avx512 := -march=x86-64-v4 -mprefer-vector-width=512
CFLAGS_neon :=
# Unrolling the tiles under sanitizers takes longer to compile than it saves; what these three checks find of a pointer or an index
# that went astray, the address sanitizer finds where it is used.
CFLAGS_kern_release := -O3
CFLAGS_kern_double := -O3
CFLAGS_kern_asan := -O1 -fno-sanitize=pointer-overflow,object-size,bounds
CFLAGS_kern_tsan := -O2
ifeq ($(MODE),double)
LEVELS := $(firstword $(LEVELS))
endif
# One source: the narrowest vectors and the widest that this machine has find all there is in it.
ifneq (,$(filter asan tsan,$(MODE)))
LEVELS := $(filter-out $(if $(shell grep -sm1 avx512f /proc/cpuinfo),avx2,avx512),$(LEVELS))
endif

CFLAGS += $(BASE) $(CFLAGS_$(MODE)) $(CFLAGS_ARCH)
LDFLAGS += $(LDFLAGS_$(MODE)) -pthread
LDLIBS = $(PKG_LIBS) -lm

# --- sources -----------------------------------------------------------------------------------------------------------
# Compiled once per numeric level; everything else once.
KERN_PER_LEVEL := $(addprefix core/kern/,conv dense elem norm group pool upsample dropout loss latent glu pairs update row)
CORE_SRC := $(filter-out $(addsuffix .c,$(KERN_PER_LEVEL)),$(wildcard core/*/*.c))
API_SRC := $(wildcard api/*.c)
SERVER_SRC := $(filter-out server/main.c,$(wildcard server/*.c server/*/*.c))
# The pages of the manual, by their names in its contents; README's pictures are its, too.
MANUAL := $(shell awk '!/^\#/ {print $$1}' web/docs/contents.txt)
WEB_FILES := $(shell find web -type f ! -name '*.md' ! -name '*.txt' ! -name SHA256SUMS ! -name package.json 2>/dev/null | sort) \
	$(MANUAL:%=$(O)/web/docs/%.html) $(wildcard deploy/*.png) $(O)/openapi.json

LEVEL_OBJ := $(foreach l,$(LEVELS),$(addprefix $(O)/,$(addsuffix .$(l).o,$(KERN_PER_LEVEL))))
CORE_OBJ := $(CORE_SRC:%.c=$(O)/%.o) $(LEVEL_OBJ)
API_OBJ := $(API_SRC:%.c=$(O)/%.o)
SERVER_OBJ := $(SERVER_SRC:%.c=$(O)/%.o) $(O)/web_assets.o $(O)/lab_assets.o

.PHONY: all
## all: build/release/latentd (the default)
all: $(O)/latentd $(O)/bench

$(O)/latentd: $(O)/server/main.o $(SERVER_OBJ) $(O)/libapi.a $(O)/libcore.a
	@echo "  LD   $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# What tests/torture preloads into a daemon.
build/release/kf.so: tests/torture/kf.c tests/torture/record.c tests/torture/kf.h tests/torture/record.h
	@mkdir -p $(@D)
	@echo "  LD   $@"
	@$(CC) $(filter-out -MMD -MP -fPIE,$(CFLAGS)) -U_FORTIFY_SOURCE -fPIC -shared -o $@ $(filter %.c,$^)

# The same of memory, in a daemon that a sanitizer looks at: its allocations fail by the linker's hand (tests/torture/wrap.c).
$(O)/latentd-kf: $(O)/server/main.o $(SERVER_OBJ) $(O)/tests/torture/wrap.o $(O)/libapi.a $(O)/libcore.a
	@echo "  LD   $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc -o $@ $^ $(LDLIBS)

BENCH_SRC := $(wildcard tests/bench/*.c)
$(O)/bench: $(BENCH_SRC:%.c=$(O)/%.o) $(O)/libcore.a
	@echo "  LD   $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(O)/libcore.a: $(CORE_OBJ)
$(O)/libapi.a: $(API_OBJ)
$(O)/libserver.a: $(SERVER_OBJ)
$(O)/%.a:
	@echo "  AR   $@"
	@rm -f $@ && ar rcs $@ $^

# What was a test once may be a folder of tests by now.
$(O)/%.o: %.c
	@mkdir -p $(@D) 2>/dev/null || { rm -f $(@D) && mkdir -p $(@D); }
	@echo "  CC   $<"
	@$(CC) $(CFLAGS) $(PKG_CFLAGS) -c -o $@ $<

define level_rule
$(O)/core/kern/%.$(1).o: core/kern/%.c
	@mkdir -p $$(@D)
	@echo "  CC   $$< ($(1))"
	@$$(CC) $$(CFLAGS) $$(CFLAGS_$(1)) $$(CFLAGS_kern_$$(MODE)) -DKERN_LEVEL=$(1) -DKERN_LEVEL_$(1)=1 -c -o $$@ $$<
endef
$(foreach l,$(LEVELS),$(eval $(call level_rule,$(l))))
$(O)/core/kern/kern.o: CFLAGS += $(foreach l,$(LEVELS),-DHAVE_LEVEL_$(l)=1)
# Which levels there are is said here.
$(O)/core/kern/kern.o: Makefile

# The commit is known to one small object only, which is made anew when it changes.
$(O)/server/version.o: $(O)/version.h
$(O)/version.h: FORCE
	@mkdir -p $(@D)
	@printf '#define LATENTD_VERSION "%s"\n#define LATENTD_COMMIT "%s"\n' '$(VERSION)' '$(COMMIT)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
.PHONY: FORCE
FORCE:

# The API document is written as YAML and served as JSON.
$(O)/openapi.json: api/openapi.yaml deploy/yaml_json.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O1 -o $(O)/yaml_json deploy/yaml_json.c -lyaml
	@$(O)/yaml_json < $< > $@.new && mv $@.new $@

# The manual: web/docs/*.md, and two pages written from what the program knows, made HTML by cmark-gfm.
$(O)/manual_%: deploy/manual_%.c deploy/manual.h $(O)/libapi.a $(O)/libcore.a
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(filter %.a,$^) $(LDLIBS)
$(O)/web/docs/kinds.md: $(O)/manual_kinds
	@mkdir -p $(@D)
	@$< > $@
$(O)/web/docs/api.md: $(O)/manual_api $(O)/openapi.json
	@mkdir -p $(@D)
	@$< < $(O)/openapi.json > $@
MANUAL_FRAME := deploy/manual.sh deploy/manual.awk web/docs/contents.txt
$(O)/web/docs/%.html: web/docs/%.md $(MANUAL_FRAME)
	@mkdir -p $(@D)
	@sh deploy/manual.sh $* $< > $@
$(O)/web/docs/%.html: $(O)/web/docs/%.md $(MANUAL_FRAME)
	@sh deploy/manual.sh $* $< > $@

# web/, the manual and openapi.json → one object: names and bytes.
$(O)/web_assets.c: $(WEB_FILES) deploy/embed.sh Makefile
	@mkdir -p $(@D)
	@sh deploy/embed.sh assets $(WEB_FILES) > $@.new && mv $@.new $@

# The classifier that judges samples.
LAB_FILES := core/lab/evaluator.json core/lab/evaluator.safetensors
$(O)/lab_assets.c: $(LAB_FILES) deploy/embed.sh Makefile
	@mkdir -p $(@D)
	@sh deploy/embed.sh lab_assets $(LAB_FILES) > $@.new && mv $@.new $@

$(O)/%_assets.o: $(O)/%_assets.c
	@echo "  CC   $<"
	@$(CC) $(CFLAGS) -c -o $@ $<

.PHONY: check-vendor
## check-vendor: the vendored files are the ones that were reviewed
check-vendor:
	@cd web/vendor && sha256sum --quiet -c SHA256SUMS && echo "vendored files: ok"

# --- tests -------------------------------------------------------------------------------------------------------------
# tests/<path>.c mirrors <path>.c; a test that ends in _double.c is built with real = double (gradients by differences).
UNIT_SRC := $(shell find tests/core tests/api tests/server -name '*.c' 2>/dev/null | sort)
DOUBLE_SRC := $(filter %_double.c,$(UNIT_SRC))
SINGLE_SRC := $(filter-out $(DOUBLE_SRC),$(UNIT_SRC))
ifeq ($(MODE),double)
UNIT := $(DOUBLE_SRC:%.c=$(O)/%)
UNIT_LIBS := $(O)/libcore.a
else
UNIT := $(SINGLE_SRC:%.c=$(O)/%)
UNIT_LIBS := $(O)/libserver.a $(O)/libapi.a $(O)/libcore.a
endif

$(UNIT): $(O)/%: $(O)/%.o $(UNIT_LIBS)
	@echo "  LD   $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) -lcmocka

# Trained there as bench trains them.
$(addprefix $(O)/tests/core/model/,trajectory workloads_double): $(O)/tests/bench/workloads.o

# tests/fuzz/<reader>.c: libFuzzer targets, built by clang into build/fuzz; what they learn stays in build/fuzz/corpus.
FUZZ := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 60
$(FUZZ): $(O)/%: $(O)/%.o $(O)/libapi.a $(O)/libcore.a
	@echo "  LD   $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: fuzz fuzz-run
## fuzz: run each reader of foreign bytes on hostile input for FUZZ_SECONDS=60 (needs clang)
fuzz:
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang fuzz-run
fuzz-run: $(FUZZ)
	@for target in $(FUZZ); do \
		name=$${target##*/}; mkdir -p $(O)/corpus/$$name; \
		$$target -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -print_final_stats=1 \
			-artifact_prefix=$(O)/$$name- $(O)/corpus/$$name tests/fuzz/seeds/$$name > $(O)/$$name.log 2>&1 || \
			{ tail -n 60 $(O)/$$name.log; echo "$$name: a crash"; exit 1; }; \
		echo "$$name: no crash in $$(sed -n 's/^stat::number_of_executed_units: *//p' $(O)/$$name.log) inputs"; \
	done

.PHONY: unit
## unit: build the unit tests of this MODE
unit: $(UNIT)

-include $(shell find $(O) -name '*.d' 2>/dev/null)

# --- what people type ----------------------------------------------------------------------------------------------------
.PHONY: demo check test e2e web-test screenshots lint setup
## demo: install what is missing, build, train an autoencoder, leave pictures in build/demo
demo:
	@deploy/demo.sh
## setup: install what building and running need (Debian 12)
setup:
	@deploy/setup.sh
## check: install what the tests need and run them all (some 13 minutes on 2 cores)
check:
	@deploy/setup.sh --tests
	@tests/tools/check.sh full
## test: the fast inner loop: unit tests and short scenarios (3 minutes at most)
test:
	@tests/tools/check.sh quick
## e2e: all scenarios with the daemon of this MODE; one: build/release/latentd, then tests/e2e/03-jobs.sh
e2e: $(O)/latentd build/release/kf.so
	@LATENTD=$(O)/latentd tests/tools/run.sh build/logs/e2e-$(MODE) $(sort $(wildcard tests/e2e/[0-9]*.sh))
## web-test: the dashboard in Chromium
web-test: $(O)/latentd
	@LATENTD=$(O)/latentd tests/tools/run.sh build/logs/web $(sort $(wildcard tests/web/*.test.mjs))
## screenshots: every view at three widths in both themes: build/screenshots
screenshots: $(O)/latentd
	@SCREENSHOTS=1 LATENTD=$(O)/latentd node --test tests/web/pages.test.mjs
## lint: floors and doors, headers that stand alone, what clang warns of, scripts, vendored files, routes in the API document
lint: all
	@tests/tools/run.sh build/logs/lint tests/tools/lint.sh

# Warnings of another compiler, without its objects: make CC=clang O=build/clang syntax
.PHONY: syntax
SYNTAX = $(CC) $(filter-out -MMD -MP,$(CFLAGS)) $(PKG_CFLAGS) -fsyntax-only
syntax: $(O)/version.h
	@$(SYNTAX) $(CORE_SRC) $(API_SRC) $(wildcard server/*.c server/*/*.c) $(BENCH_SRC) $(SINGLE_SRC)
	@$(foreach l,$(LEVELS),$(SYNTAX) $(CFLAGS_$(l)) -DKERN_LEVEL=$(l) -DKERN_LEVEL_$(l)=1 $(addsuffix .c,$(KERN_PER_LEVEL)) &&) true

# Headers of libraries that have no word of the processor in them are the host's.
ARM64_OBJ := $(filter-out $(addprefix build/arm64/core/data/,png.o gz.o sha256.o tar.o),$(CORE_SRC:%.c=build/arm64/%.o)) \
	$(addprefix build/arm64/,$(addsuffix .neon.o,$(KERN_PER_LEVEL)))
.PHONY: cross-arm64 cross-arm64-run
## cross-arm64: compile the core for arm64 (gcc-aarch64-linux-gnu)
cross-arm64:
	@$(MAKE) --no-print-directory O=build/arm64 ARCH=aarch64 CC=aarch64-linux-gnu-gcc PKG_CFLAGS='-idirafter /usr/include' \
		cross-arm64-run
cross-arm64-run: $(ARM64_OBJ)

.PHONY: torture
## torture: kills, full disks, failing syncs and allocations, and what must hold after them (KILLS=500, ONLY=regexp, SEED=1, PLANT=1)
torture: all unit build/release/kf.so
	@$(MAKE) --no-print-directory MODE=asan build/asan/latentd-kf
	@/usr/bin/python3 tests/torture/torture.py

.PHONY: bench bench-layers bench-peers bench-tsne bench-tuner bench-web report golden evaluator
## bench: GFLOP/s of each kernel and whole training steps on this machine, then the latency of decoding while a job trains
bench: all
	@$(O)/bench kernels
	@for w in ae vae cnn class1 class2; do $(O)/bench train $$w; done; $(O)/bench train gan --images 5120
	@for i in encode decode decode1; do $(O)/bench infer $$i; done
	@LATENTD=$(O)/latentd tests/bench/decode.sh
## bench-layers: each layer's share of the FMA peak, as a picture (needs python3)
bench-layers: all
	@/usr/bin/python3 tests/bench/layers.py
## bench-peers: against PyTorch on this machine, in turns (QUICK=1: a glance; LONG=1: also the time to a given quality)
bench-peers: all
	@deploy/setup.sh --peers
	@/usr/bin/python3 tests/bench/peers.py
## bench-tuner: what the tuner's samplers find and cost beside Optuna's (SEEDS=50; Optuna's results are kept in build/bench)
bench-tuner: all
	@deploy/setup.sh --peers
	@$(O)/bench tuner
	@nice -n 5 /usr/bin/python3 tests/bench/tuner.py
## bench-tsne: t-SNE of 10,000 codes beside scikit-learn's, and of 60,000 (needs python3-sklearn)
bench-tsne: all
	@deploy/setup.sh --golden
	@/usr/bin/python3 tests/bench/tsne.py
## bench-web: how fluid the dashboard is with 200 runs and a curve of 1,000,000 points, in Chromium (POINTS=50000: shorter), and images seen while a code is led about
bench-web: $(O)/latentd $(O)/tests/server/store/blocks
	@LATENTD=$(O)/latentd LONG_CURVE=$(O)/tests/server/store/blocks node tests/bench/web.mjs
	@LATENTD=$(O)/latentd node tests/bench/explore.mjs
## report: the report's figures and claims again, PyTorch beside: build/report/index.html (FULL=1: all of it, and web/docs)
report: all
	@deploy/setup.sh --report
	@/usr/bin/python3 tests/results/report.py
## collapse: adversarial runs that collapse, are told of and go back: web/docs/collapse.md (half an hour; SEEDS=5, ONLY=regexp)
collapse: all
	@/usr/bin/python3 tests/results/collapse.py
## golden: write the vectors in tests/golden again with PyTorch, scikit-learn and Optuna (deploy/setup.sh --golden)
golden:
	@deploy/setup.sh --golden
	@/usr/bin/python3 tests/golden/make.py
	@/usr/bin/python3 tests/golden/trajectory.py
	@/usr/bin/python3 tests/golden/mixture.py
	@/usr/bin/python3 tests/golden/normal.py
	@/usr/bin/python3 tests/golden/latents.py
	@/usr/bin/python3 tests/golden/judge.py
	@/usr/bin/python3 tests/golden/tpe.py
	@/usr/bin/python3 tests/golden/tsne.py
	@/usr/bin/python3 tests/golden/pruner.py
	@/usr/bin/python3 tests/golden/importance.py
	@/usr/bin/python3 tests/golden/pca.py
## evaluator: train the judge's classifier again and compare its bits with those in git (ten minutes)
evaluator: all
	@tests/golden/evaluator.sh

.PHONY: help clean
## help: this list
help:
	@sed -n 's/^## \([a-z0-9-]*\): /\1\t/p' $(MAKEFILE_LIST) | sort | awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'
## clean: remove build/
clean:
	rm -rf build
.DELETE_ON_ERROR:
.SECONDARY:
