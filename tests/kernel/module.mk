# SPDX-License-Identifier: Apache-2.0
# The assets' guards, and the committed kernel's promises and budgets.

CHECKS += assets kernel
.PHONY: check-assets check-kernel

check-assets: tests/kernel/manifest-guard.sh
	$(Q)$(MAKE) --no-print-directory assets-check && echo "ok assets match their manifest" || \
		echo "not ok assets match their manifest: see the lines above"
	$(Q)tests/kernel/manifest-guard.sh
	$(Q)tests/kernel/pin-guard.sh

check-kernel: $(KERNEL_IMAGE) $(BENCH_PLUGINS) $(BENCH_PID1)
	$(Q)tests/kernel/config-guard.sh $(KERNEL_IMAGE)
	$(Q)tests/kernel/boot.sh $(KERNEL_IMAGE) assets/kernel.xz $(BENCH_PID1)
	$(Q)tests/kernel/machines.sh $(KERNEL_IMAGE) $(BENCH_PID1)
