# SPDX-License-Identifier: Apache-2.0
# Virtual machines with the committed kernel.

CHECKS += vm
.PHONY: check-vm
check-vm: $(SMK) $(KERNEL_IMAGE) $(B)/aarch64/init-oci $(B)/aarch64/probe fixtures images
	$(Q)python3 tests/vm/run.py -j 3

# Of make coverage.
.PHONY: check-vm-coverage
check-vm-coverage: $(SMK) $(KERNEL_IMAGE) $(B)/coverage-vm/init-oci $(B)/aarch64/probe fixtures images
	$(Q)PATH=$(CURDIR)/tests/coverage:$$PATH VM_INIT=$(B)/coverage-vm/init-oci python3 tests/vm/run.py -j 3
