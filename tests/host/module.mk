# SPDX-License-Identifier: Apache-2.0
# smk without a guest: its pure parts, and the whole as it is built for users and with ASan and UBSan.

HOST_UNITS := $(B)/debug/tests/host/units
$(HOST_UNITS): $(call objs,debug,tests/host/units.c $(filter-out host/main.c,$(HOST_SRCS)) $(HOST_SHARED_SRCS)) \
		$(B)/host/libsmkernel.a
	$(call link,debug,$(HOST_LIBS))

CHECKS += host
.PHONY: check-host
check-host: $(SMK) $(SMK_DEBUG) $(HOST_UNITS)
	$(Q)status=0; $(HOST_UNITS) || status=1; $(TSI_UNITS) || status=1; \
		python3 tests/host/run.py host -j 4 || status=1; \
		SMK=$(SMK_DEBUG) python3 tests/host/run.py host-asan -j 4 || status=1; exit $$status
