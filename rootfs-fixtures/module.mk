# SPDX-License-Identifier: Apache-2.0
# OCI bundles and images from the distribution's packages, and the tests of what makes them and the libraries.

FIXTURES := base busybox debian fetch python nginx redis postgres
IMAGES := python nginx redis postgres

.PHONY: fixtures $(FIXTURES:%=fixture-%)
fixtures: $(FIXTURES:%=fixture-%)
$(FIXTURES:%=fixture-%): fixture-%: $(B)/fixtures/%/.stamp

$(foreach f,$(FIXTURES),$(eval $(B)/fixtures/$(f)/.stamp: $(wildcard rootfs-fixtures/$(f).*)))
$(B)/fixtures/%/.stamp: rootfs-fixtures/build.sh rootfs-fixtures/config.base.json
	$(Q)rootfs-fixtures/build.sh $*

.PHONY: images $(IMAGES:%=image-%)
images: $(IMAGES:%=image-%)
$(IMAGES:%=image-%): image-%: $(B)/images/%.stamp
$(B)/images/%.stamp: $(B)/fixtures/%/.stamp $(B)/fixtures/base/.stamp rootfs-fixtures/image.sh
	$(Q)rootfs-fixtures/image.sh $*

CHECKS += scripts fixtures
.PHONY: check-scripts check-fixtures
check-scripts: $(NEEDS_aarch64) $(NEEDS_x86_64)
	$(Q)code=0; for suite in deps apt third-party run; do tests/scripts/$$suite.sh || code=1; done; exit $$code

check-fixtures: fixtures images
	$(Q)tests/scripts/fixtures.sh
