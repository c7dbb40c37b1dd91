# SPDX-License-Identifier: Apache-2.0
# Suites about what people read: the form of the tree, and documents that must say what the code says.

CHECKS += lint format

.PHONY: check-lint check-format
check-lint:
	$(Q)failed=0; scripts/lint.sh || failed=1; scripts/lint-selftest.sh || failed=1; exit $$failed

check-format: format-check
