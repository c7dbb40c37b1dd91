# SPDX-License-Identifier: Apache-2.0
# Suites about what people read: the form of the tree, and documents that must say what the code says.

CHECKS += lint format

.PHONY: check-lint check-format
check-lint: LINT_PURE := $(call objs,debug,$(wildcard oci/*.c))
check-lint: $(call objs,debug,$(wildcard oci/*.c))
	$(Q)failed=0; for lint in scripts/lint.sh "scripts/lint-pure.sh $(LINT_PURE)" scripts/lint-selftest.sh; do \
		$$lint || failed=1; done; exit $$failed

check-format: format-check
