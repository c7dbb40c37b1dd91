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

# Of make coverage: every call with an error that nobody expects, the two that mean "again", and no memory.
# What the runs are worth is judged by make fault; here each sweep has to come to its end.
FAULT_COVERAGE := $(B)/coverage/init-oci $(B)/coverage/init-oci-alloc
$(B)/coverage/init-oci-alloc: $(call objs,coverage,$(OCI_SRCS) $(INIT_SRCS)) $(call objs,x86_64,tests/fault/alloc.c)
	$(call link,coverage,-ljansson -lcap -Wl$(comma)--wrap=malloc$(comma)--wrap=calloc$(comma)--wrap=realloc)

# $(call fault_coverage,CASE,PROGRAM,OPTIONS): PID 1 does not make its profile, the first line does.
define fault_coverage
$(Q)$(B)/coverage/$(2) --version >$(B)/coverage/version
$(Q)NS_INIT=$(CURDIR)/$(B)/coverage/$(2) NS_PROFILE=$(COVERAGE_DIR)/$(2) tests/fault/sweep.py $(3) \
	--log $(B)/coverage/fault.json >$(B)/coverage/fault-$(1).txt || true
$(Q)grep "^[1-9][0-9]* runs in" $(B)/coverage/fault-$(1).txt && echo "ok fault-coverage/$(1)"
endef

.PHONY: check-fault-coverage
check-fault-coverage: $(FAULT_COVERAGE) $(FAULT_NEEDS)
	$(call fault_coverage,allocations,init-oci-alloc,--allocations)
	$(call fault_coverage,again,init-oci,--thin --error EAGAIN)
	$(call fault_coverage,interrupted,init-oci,--thin --error EINTR)
	$(call fault_coverage,input-output-error,init-oci,--error EIO)
