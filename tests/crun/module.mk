# SPDX-License-Identifier: Apache-2.0
# What a container sees under crun on this machine, against what it sees in the guest.

CHECKS += crun

CRUN_LIMITS := $(B)/crun/setrlimit.so
$(CRUN_LIMITS): tests/crun/setrlimit.c
	@mkdir -p $(@D); echo "  LINK    $@"
	$(Q)$(CC_host) -std=gnu17 $(WARNINGS) -D_GNU_SOURCE -O2 -fPIC -shared $< -o $@

.PHONY: check-crun
check-crun: $(SMK) $(KERNEL_IMAGE) $(B)/aarch64/init-oci probe $(CRUN_LIMITS) fixture-busybox
	$(Q)python3 tests/crun/run.py -j 2
