# SPDX-License-Identifier: Apache-2.0
# TSI: its host's side on a socket of its own, for guests that are tested.

TSI_BACKEND := $(B)/debug/tests/tsi/backend
$(TSI_BACKEND): $(call objs,debug,$(addprefix tests/tsi/,backend.c checker.c names.c) $(TSI_SRCS))
	$(call link,debug,)

# Units of the host's side, of the suite host: the guest is made by the test.
TSI_UNITS := $(B)/debug/tests/tsi/units
$(TSI_UNITS): $(call objs,debug,$(addprefix tests/tsi/,units.c units_datagram.c units_hostile.c units_listen.c units_policy.c units_stream.c \
		guest.c) $(TSI_SRCS))
	$(call link,debug,-pthread)
check-host: $(TSI_UNITS)

# smk run --net in virtual machines.
TSI_CLIENT := $(B)/aarch64/tests/tsi/client
$(TSI_CLIENT): $(call objs,aarch64,tests/tsi/client.c)
	$(call link,aarch64,)

CHECKS += tsi-smk
.PHONY: check-tsi-smk
check-tsi-smk: $(SMK) $(KERNEL_IMAGE) $(B)/aarch64/init-oci $(B)/aarch64/probe $(TSI_CLIENT) fixtures images
	$(Q)python3 tests/tsi/smk_run.py -j 3

# The guests' program, and the same as their peer on the host.
TSI_APP_SRCS := $(addprefix tests/tsi/,app.c app_util.c app_trace.c app_basic.c app_stream.c app_connect.c \
	app_listen.c app_accept.c app_poll.c app_end.c \
	app_datagram.c app_names.c app_options.c \
	app_process.c app_io.c app_ring.c app_hard.c app_vsock.c app_kinds.c app_netns.c app_scope.c app_random.c \
	app_debug.c app_reset.c peer.c peer_dial.c) \
	lib/sha256.c lib/sha256_cpu.c
define tsi_app_rule
$(B)/$(1)/tsi-app: $$(call objs,$(1),$$(TSI_APP_SRCS))
	$$(call link,$(1),-pthread)
endef
$(foreach v,aarch64 host,$(eval $(call tsi_app_rule,$(v))))

CHECKS += tsi
.PHONY: check-tsi check-long
check-tsi: $(TSI_BACKEND) $(B)/aarch64/tsi-app $(B)/host/tsi-app $(KERNEL_IMAGE)
	$(Q)python3 tests/tsi/run.py -j 3
check-long: $(TSI_BACKEND) $(B)/aarch64/tsi-app $(B)/host/tsi-app $(KERNEL_IMAGE)
	$(Q)python3 tests/tsi/run.py -j 3 --long

# Not of `make check`: the kernel for it takes long to build. TSI_SECONDS: of each boot at random, 600;
# TSI_SEED; TSI_DEBUG_KERNEL: one that is built already.
.PHONY: check-debug
TSI_DEBUG_KERNEL ?= $(KERNEL_DEBUG)
check-debug: $(TSI_BACKEND) $(B)/aarch64/tsi-app $(B)/host/tsi-app
	$(Q)test -e $(TSI_DEBUG_KERNEL) || $(MAKE) --no-print-directory kernel-debug
	$(Q)TSI_DEBUG=1 TSI_KERNEL=$(abspath $(TSI_DEBUG_KERNEL)) \
		python3 tests/tsi/run.py -j 1 '^(random|storm|lazy|nested|slow)-'
