# SPDX-License-Identifier: Apache-2.0
# How suites are run. A suite NAME is a phony target check-NAME that builds what it needs and prints
# one line a case, "ok CASE" or "not ok CASE: why"; its room adds NAME to CHECKS. VM suites run their
# cases in parallel themselves.

# Suites whose cases run init-oci as PID 1, and how many there must be at least (docs/testing.md).
CONFORMANCE := ns matrix vm crun
CONFORMANCE_MIN := 480
check check-only: export CONFORMANCE := $(CONFORMANCE)

# A second make, because what is missing has to be installed before anything is compiled.
JOBS := $(shell nproc)
.PHONY: check $(addprefix check-,$(CHECKS))
check: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)CONFORMANCE_MIN=$(CONFORMANCE_MIN) tests/run.sh $(B)/check $(CHECKS)

# make check-only SUITES="unit lib": some suites, counted in the same way.
.PHONY: check-only
check-only: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)tests/run.sh $(B)/check $(SUITES)
