# SPDX-License-Identifier: Apache-2.0
# smk without a guest.

CHECKS += host
.PHONY: check-host
check-host: $(SMK)
	$(Q)python3 tests/host/run.py -j 4
