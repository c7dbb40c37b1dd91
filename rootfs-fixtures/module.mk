# SPDX-License-Identifier: Apache-2.0
# OCI bundles from the distribution's packages, and the tests of what makes them and the libraries.

FIXTURES := busybox debian python nginx

.PHONY: fixtures $(FIXTURES:%=fixture-%)
fixtures: $(FIXTURES:%=fixture-%)
$(FIXTURES:%=fixture-%): fixture-%: $(B)/fixtures/%/.stamp

$(foreach f,$(FIXTURES),$(eval $(B)/fixtures/$(f)/.stamp: $(wildcard rootfs-fixtures/$(f).*)))
$(B)/fixtures/%/.stamp: rootfs-fixtures/build.sh rootfs-fixtures/config.base.json
	$(Q)rootfs-fixtures/build.sh $*

CHECKS += scripts fixtures
.PHONY: check-scripts check-fixtures
check-scripts: $(NEEDS_aarch64) $(NEEDS_x86_64)
	$(Q)code=0; for suite in deps apt third-party run; do tests/scripts/$$suite.sh || code=1; done; exit $$code

check-fixtures: fixtures
	$(Q)tests/scripts/fixtures.sh
