# SPDX-License-Identifier: Apache-2.0
# One makefile, no recursion. Each room declares its sources and tests in its own module.mk.
#
#   make                      everything that users run: smk, libsmkernel, init-oci
#   make run                  boots the busybox bundle
#   make check                every test
#   make check-only SUITES=x  some suites, counted in the same way; make check-x: one, with its output
#   make check-long           the suite tsi with its long cases, in full size
#   make bench                every budget; make bench-publish: its table and picture into docs/
#   make fuzz                 each of FUZZERS for FUZZ_SECONDS (600), and a table of all that ever ran
#   make coverage             lines and branches of oci/ and init/ that tests run, and why not the rest
#   make fault                every system call of init-oci fails once, in every way: a table
#   make install uninstall    PREFIX=/usr/local DESTDIR=
#   make fixtures images      the bundles and images of rootfs-fixtures/, into build/fixtures/ and build/images/
#   make kernel               builds the kernel, replaces its asset; make kernel-bump: a newer source
#   make init-oci-asset       builds init-oci, replaces its asset
#   make assets-check         the assets are what the manifest says, made from this tree
#   make lint format          what check-lint and check-format want
#   make deps clean help      packages; build/ but for downloads and the kernel's objects; this list
#
# Variants of the same sources, each with its own object tree:
#   build/debug     native, glibc, ASan + UBSan      (unit tests)
#   build/host      native, glibc, -O2               (libsmkernel, smk)
#   build/x86_64    native, static musl              (init-oci in namespaces)
#   build/aarch64   static musl                      (init-oci in the guest, tests under qemu-user)

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

B := build
VERSION := $(shell cat VERSION)
Q := $(if $(V),,@)

CC_debug   := gcc
CC_host    := gcc
CC_x86_64  := gcc -specs /usr/lib/x86_64-linux-musl/musl-gcc.specs \
	-idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include
CC_aarch64 := aarch64-linux-gnu-gcc -specs /usr/lib/aarch64-linux-musl/musl-gcc.specs \
	-idirafter /usr/aarch64-linux-gnu/include
export CC_x86_64 CC_aarch64

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wswitch-enum -Wvla -Wmissing-prototypes \
	-Wstrict-prototypes -Wformat=2 -Wwrite-strings -Wundef
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=. -Wdate-time
CFLAGS_all := -std=gnu17 $(WARNINGS) $(REPRODUCIBLE) -MMD -MP -fstack-protector-strong \
	-DSMK_VERSION='"$(VERSION)"' -D_GNU_SOURCE -Iinclude
SMALL := -Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables

CFLAGS_debug   := $(CFLAGS_all) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
CFLAGS_host    := $(CFLAGS_all) -O2 -g -D_FORTIFY_SOURCE=2
CFLAGS_x86_64  := $(CFLAGS_all) -Os -g -I$(B)/third-party/x86_64/include
CFLAGS_aarch64 := $(CFLAGS_all) $(SMALL) -I$(B)/third-party/aarch64/include

LDFLAGS_debug   := -fsanitize=address,undefined
LDFLAGS_host    :=
LDFLAGS_x86_64  := -static -no-pie -L$(B)/third-party/x86_64/lib
LDFLAGS_aarch64 := -static -no-pie -L$(B)/third-party/aarch64/lib \
	-Wl,--gc-sections,--build-id=sha1,-z,noexecstack,-z,relro,-z,max-page-size=4096

# Third-party libraries that a variant's sources include.
NEEDS_x86_64  := $(B)/third-party/x86_64/.stamp
NEEDS_aarch64 := $(B)/third-party/aarch64/.stamp
$(B)/third-party/%/.stamp: scripts/third-party.sh
	$(Q)scripts/third-party.sh $*

# The walls between the rooms: which folders a room may include from (design: folders table).
INCLUDE_oci   :=
INCLUDE_init  := -I.
INCLUDE_lib   :=
INCLUDE_host  := -I.
INCLUDE_tests := -I.
EXTRA_oci     := -Wconversion
EXTRA_lib     := -Wconversion

# objs VARIANT,SOURCES: the objects of sources in a variant's tree.
objs = $(patsubst %,$(B)/$(1)/%.o,$(basename $(2)))

room = $(firstword $(subst /, ,$(1)))
define compile_rules
$(B)/$(1)/%.o: %.c | $$(NEEDS_$(1))
	@mkdir -p $$(@D)
	@echo "  CC      $(1)/$$*.c"
	$$(Q)$$(CC_$(1)) $$(CFLAGS_$(1)) $$(INCLUDE_$$(call room,$$*)) $$(EXTRA_$$(call room,$$*)) \
		$$(CFLAGS_only_$$(subst /,_,$$*)) -c $$< -o $$@
endef
$(foreach v,debug host x86_64 aarch64,$(eval $(call compile_rules,$(v))))

# $(call link,VARIANT,LIBS): the recipe of a program from its prerequisites' objects and archives.
link = @mkdir -p $(@D); echo "  LINK    $@"; \
	$(or $(LINKER_$(1)),$(CC_$(1)) $(CFLAGS_$(1))) $(filter %.o %.a,$^) $(LDFLAGS_$(1)) $(2) -o $@

all: # first target; rooms add to it

# Rooms append to these lists.
CHECKS :=      # phony targets, one a test suite; each prints "ok NAME" / "not ok NAME" lines

# oci/ first: other rooms link its sources.
include oci/module.mk $(filter-out oci/module.mk,$(sort $(wildcard */module.mk tests/*/module.mk)))

FORMATTED = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')

-include $(shell find $(B) \( -path $(B)/kernel -o -path $(B)/third-party -o -path $(B)/fixtures -o -path $(B)/apt \) -prune \
	-o -type f -name '*.d' -print 2>/dev/null)
