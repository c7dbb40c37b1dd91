# SPDX-License-Identifier: Apache-2.0
# Fault injection: every system call and every allocation of init-oci fails once, and each new kernel
# interface is absent in a virtual machine once.

$(B)/x86_64/inject: $(call objs,x86_64,tests/fault/inject.c)
	$(call link,x86_64,)

# init-oci whose allocations can be made to fail: each of the arena's is one of malloc's, too.
FAULT_INIT := $(B)/x86_64/init-oci-alloc
FAULT_ARENA := $(B)/x86_64/tests/fault/arena.o
$(FAULT_ARENA): oci/arena.c
	@mkdir -p $(@D)
	$(Q)$(CC_x86_64) $(CFLAGS_x86_64) $(EXTRA_oci) -DCHUNK_BYTES=0u -c $< -o $@
comma := ,
$(FAULT_INIT): $(call objs,x86_64,$(filter-out oci/arena.c,$(OCI_SRCS)) $(INIT_SRCS) tests/fault/alloc.c) $(FAULT_ARENA)
	$(call link,x86_64,-ljansson -lcap -Wl$(comma)--wrap=malloc$(comma)--wrap=calloc$(comma)--wrap=realloc)

# A wrapper that executes init-oci under a filter, as PID 1 of a virtual machine.
$(B)/aarch64/deny: $(call objs,aarch64,tests/ns/deny.c)
	$(call link,aarch64,-s)

FAULT_NEEDS := $(B)/x86_64/init-oci $(FAULT_INIT) $(B)/x86_64/probe $(B)/x86_64/ns-launch $(B)/x86_64/inject \
	$(B)/aarch64/init-oci $(B)/aarch64/probe $(B)/aarch64/deny $(KERNEL_IMAGE)

# Everything, as tables.
.PHONY: fault
fault: $(FAULT_NEEDS)
	$(Q)failed=0; tests/fault/sweep.py || failed=1; tests/fault/sweep.py --allocations || failed=1; \
		tests/fault/vm.py || failed=1; exit $$failed

# Each call and error at one occurrence, each allocation, each interface.
CHECKS += fault
.PHONY: check-fault
check-fault: $(FAULT_NEEDS)
	$(Q)failed=0; tests/fault/sweep.py --thin || failed=1; tests/fault/sweep.py --allocations --thin || failed=1; \
		tests/fault/vm.py || failed=1; exit $$failed

# Of make coverage: every call with an error that nobody expects, and the two that mean "again". What the
# runs are worth is judged by make fault; here the sweep has to come to its end.
.PHONY: check-fault-coverage
check-fault-coverage: $(B)/coverage/init-oci $(FAULT_NEEDS)
	$(Q)$< --version >$(B)/coverage/version
	$(Q)failed=0; for errors in "EIO" "EINTR --thin" "EAGAIN --thin"; do \
		NS_INIT=$(abspath $<) NS_PROFILE=$(COVERAGE_DIR)/init-oci tests/fault/sweep.py --error $$errors \
			--log $(B)/coverage/fault.json >$(B)/coverage/fault-$${errors%% *}.txt || true; \
		if grep "^[1-9][0-9]* runs in" $(B)/coverage/fault-$${errors%% *}.txt; then \
			echo "ok fault-coverage/$${errors%% *}"; \
		else echo "not ok fault-coverage/$${errors%% *}: no end"; failed=1; fi; done; exit $$failed
