# SPDX-License-Identifier: Apache-2.0
# smk without a guest: as it is built for users, and with ASan and UBSan.

CHECKS += host
.PHONY: check-host
check-host: $(SMK) $(SMK_DEBUG)
	$(Q)python3 tests/host/run.py host -j 4; plain=$$?; \
		SMK=$(SMK_DEBUG) python3 tests/host/run.py host-asan -j 4 && exit $$plain
