# SPDX-License-Identifier: Apache-2.0
# init-oci's parts that need no machine, and the binary itself.

INIT_UNIT := life ring channel console exec lookup relay user
INIT_UNIT_SRCS := init/life.c init/ring.c init/channel.c init/console.c init/exec.c init/lookup.c init/relay.c init/relay_input.c \
	init/routes.c init/sys.c init/user.c
INIT_UNIT_LINK_relay := -Wl,--wrap=read,--wrap=writev

define init_unit_rule
$(B)/$(1)/test-init-$(2): $$(call objs,$(1),tests/init/test_$(2).c $$(INIT_UNIT_SRCS) $$(OCI_SRCS))
	$$(call link,$(1),-ljansson $$(INIT_UNIT_LINK_$(2)))
endef
$(foreach v,debug aarch64 coverage,$(foreach t,$(INIT_UNIT),$(eval $(call init_unit_rule,$(v),$(t)))))

CHECKS += init init-user
.PHONY: check-init check-init-user
check-init: $(INIT_UNIT:%=$(B)/debug/test-init-%) $(INIT_OCI) $(INIT_OCI_NATIVE)
	$(Q)failed=0; for t in $(INIT_UNIT); do $(B)/debug/test-init-$$t || failed=1; done; \
		tests/init/binary.sh $(INIT_OCI) assets/init-oci.xz || failed=1; \
		tests/init/tool.sh init-tool $(INIT_OCI_NATIVE) || failed=1; exit $$failed
# The same tests as the guest's machine runs them.
check-init-user: $(INIT_UNIT:%=$(B)/aarch64/test-init-%) $(INIT_OCI)
	$(Q)failed=0; for t in $(INIT_UNIT); do \
		qemu-aarch64-static $(B)/aarch64/test-init-$$t | sed 's,^\(ok\|not ok\) ,&aarch64-,' || failed=1; \
		done; tests/init/tool.sh init-tool-aarch64 qemu-aarch64-static $(INIT_OCI) || failed=1; exit $$failed
# Of make coverage.
.PHONY: check-init-coverage
check-init-coverage: $(INIT_UNIT:%=$(B)/coverage/test-init-%) $(B)/coverage/init-oci
	$(Q)failed=0; for t in $(INIT_UNIT); do $(B)/coverage/test-init-$$t || failed=1; done; \
		tests/init/tool.sh init-tool $(B)/coverage/init-oci || failed=1; exit $$failed
