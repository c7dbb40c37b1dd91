# SPDX-License-Identifier: Apache-2.0
# How suites are run. A suite NAME is a phony target check-NAME that builds what it needs and prints
# one line a case, "ok CASE" or "not ok CASE: why"; its room adds NAME to CHECKS. VM suites run their
# cases in parallel themselves.

# A second make, because what is missing has to be installed before anything is compiled.
JOBS := $(shell nproc)
.PHONY: check $(addprefix check-,$(CHECKS))
check: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)tests/run.sh $(B)/check $(CHECKS)

# make check-only SUITES="unit lib": some suites, counted in the same way.
.PHONY: check-only
check-only: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)tests/run.sh $(B)/check $(SUITES)
