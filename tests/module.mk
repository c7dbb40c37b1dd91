# SPDX-License-Identifier: Apache-2.0
# How suites are run. A suite NAME is a phony target check-NAME that builds what it needs and prints
# one line a case, "ok CASE" or "not ok CASE: why"; its room adds NAME to CHECKS. VM suites run their
# cases in parallel themselves.

.PHONY: check $(addprefix check-,$(CHECKS))
check: deps all
	$(Q)tests/run.sh $(B)/check $(CHECKS)

# make check-only SUITES="unit lib": some suites, counted in the same way.
.PHONY: check-only
check-only: all
	$(Q)tests/run.sh $(B)/check $(SUITES)
