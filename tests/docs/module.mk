# SPDX-License-Identifier: Apache-2.0
# What the documents say is what the code does.

CHECKS += docs

.PHONY: check-docs
check-docs:
	$(Q)tests/docs/names.sh
