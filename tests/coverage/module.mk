# SPDX-License-Identifier: Apache-2.0
# make coverage: which lines and branches of oci/ and init/ the tests run; see report.py. Minutes, and
# therefore no part of make check.
#
# Two variants by clang, which counts branches as they are written: build/coverage is build/x86_64, and
# build/coverage-vm is build/aarch64, for virtual machines. gcc links them: musl's start files and
# library are its business.

CLANG_MUSL = clang --target=$(1)-linux-musl -nostdlibinc -isystem /usr/include/$(1)-linux-musl
CFLAGS_counting := -std=gnu17 -O1 -g -MMD -MP -DSMK_VERSION='"$(VERSION)"' -D_GNU_SOURCE -Iinclude \
	-fprofile-instr-generate -fcoverage-mapping -mllvm -runtime-counter-relocation

CC_coverage := $(call CLANG_MUSL,x86_64) -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include
CFLAGS_coverage := $(CFLAGS_counting) -I$(B)/third-party/x86_64/include
COUNT_coverage := $(call objs,x86_64,tests/coverage/profile.c tests/coverage/count_native.c)
LINKER_coverage := $(CC_x86_64)
LDFLAGS_coverage := $(COUNT_coverage) $(LDFLAGS_x86_64)
NEEDS_coverage := $(NEEDS_x86_64) $(COUNT_coverage)

CC_coverage-vm := $(call CLANG_MUSL,aarch64) -idirafter /usr/aarch64-linux-gnu/include
CFLAGS_coverage-vm := $(CFLAGS_counting) -I$(B)/third-party/aarch64/include
COUNT_coverage-vm := $(call objs,aarch64,tests/coverage/profile.c tests/coverage/count_guest.c)
LINKER_coverage-vm := $(CC_aarch64)
LDFLAGS_coverage-vm := $(COUNT_coverage-vm) -static -no-pie -L$(B)/third-party/aarch64/lib -Wl,--wrap=reboot
NEEDS_coverage-vm := $(NEEDS_aarch64) $(COUNT_coverage-vm)

$(foreach v,coverage coverage-vm,$(eval $(call compile_rules,$(v)))$(eval $(call init_oci_rule,$(v),)))

# Suites that other rooms' module.mk have for this; what fails in them is a failure here, too.
COVERAGE_SUITES := unit-coverage init-coverage ns-coverage fault-coverage vm-coverage
COVERAGE_DIR := $(CURDIR)/$(B)/coverage/profiles

.PHONY: coverage
coverage: export COVERAGE_DIR := $(COVERAGE_DIR)
coverage: $(B)/coverage/init-oci
	$(Q)rm -rf $(COVERAGE_DIR) && mkdir -p $(COVERAGE_DIR)
	$(Q)tests/run.sh $(B)/coverage $(COVERAGE_SUITES)
	$(Q)tests/coverage/report.py
