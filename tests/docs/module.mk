# SPDX-License-Identifier: Apache-2.0
# What the documents say is what the code does.

CHECKS += docs

DOCS_EXAMPLES := $(B)/debug/tests/docs-examples
$(DOCS_EXAMPLES): $(call objs,debug,tests/docs/examples.c $(wildcard oci/*.c))
	$(call link,debug,-ljansson)

.PHONY: check-docs
check-docs: export SUPERMACHINE_INIT_OCI_PATH := $(INIT_OCI)
check-docs: $(DOCS_EXAMPLES) $(B)/host/smk $(INIT_OCI) fixture-busybox $(B)/x86_64/probe \
		$(B)/x86_64/init-oci $(B)/x86_64/ns-launch $(B)/x86_64/inject
	$(Q)failed=0; tests/docs/names.sh || failed=1; tests/docs/hardening.sh || failed=1; tests/docs/tsi.py || failed=1; $(DOCS_EXAMPLES) || failed=1; \
		tests/docs/qemu.sh $(B)/host/smk $(B)/fixtures/busybox "Hello from busybox" || failed=1; exit $$failed
