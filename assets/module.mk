# SPDX-License-Identifier: Apache-2.0
# The assets: built on demand by the maintainer, committed as xz, checked against their manifest.

KERNEL_BUILD := $(B)/kernel/obj/arch/arm64/boot/Image
KERNEL_DEBUG := $(B)/kernel-debug/obj-debug/arch/arm64/boot/Image
KERNEL_IMAGE := $(B)/assets/kernel.Image

.PHONY: kernel kernel-debug kernel-bump kernel-image assets-check

# Builds the kernel and replaces the committed asset and its manifest entry.
kernel:
	$(Q)assets/kernel/build.sh
	$(Q)scripts/xz-asset.sh $(KERNEL_BUILD) assets/kernel.xz
	$(Q)scripts/manifest.sh record kernel $(KERNEL_BUILD) assets/kernel.xz \
		"$$(cat $(B)/kernel/obj/include/config/kernel.release)"
	$(Q)sha256sum $(KERNEL_BUILD)

# The same source, watching itself: for make check-debug, never an asset.
kernel-debug:
	$(Q)assets/kernel/build.sh --dir $(B)/kernel-debug --variant debug

kernel-bump:
	$(Q)assets/kernel/build.sh bump

# The committed kernel, decoded: what tests and the bench boot.
kernel-image: $(KERNEL_IMAGE)
$(KERNEL_IMAGE): assets/kernel.xz
	@mkdir -p $(@D)
	@echo "  XZ      $@"
	$(Q)xz -dc $< >$@

# Every asset decodes to what the manifest says and was made from this tree's inputs.
assets-check:
	$(Q)INIT_OCI_INPUTS="$(INIT_OCI_INPUTS)" INIT_OCI_CC="$(CC_aarch64)" \
		INIT_OCI_THIRD_PARTY="$(INIT_OCI_THIRD_PARTY)" scripts/manifest.sh check
