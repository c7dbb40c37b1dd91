# SPDX-License-Identifier: Apache-2.0
# OCI bundles from the distribution's packages, and the tests of what makes them and the libraries.

FIXTURES := busybox debian python nginx

.PHONY: fixtures $(FIXTURES:%=fixture-%)
fixtures: $(FIXTURES:%=fixture-%)
$(FIXTURES:%=fixture-%): fixture-%: $(B)/fixtures/%/.stamp

$(foreach f,$(FIXTURES),$(eval $(B)/fixtures/$(f)/.stamp: $(wildcard rootfs-fixtures/$(f).*)))
$(B)/fixtures/%/.stamp: rootfs-fixtures/build.sh rootfs-fixtures/config.base.json
	$(Q)rootfs-fixtures/build.sh $*
