# SPDX-License-Identifier: Apache-2.0
# Fault injection: every system call and every allocation of init-oci fails once.

$(B)/x86_64/inject: $(call objs,x86_64,tests/fault/inject.c)
	$(call link,x86_64,)

FAULT_NEEDS := $(B)/x86_64/init-oci $(B)/x86_64/probe $(B)/x86_64/ns-launch $(B)/x86_64/inject

.PHONY: fault
fault: $(FAULT_NEEDS)
	$(Q)tests/fault/sweep.py
