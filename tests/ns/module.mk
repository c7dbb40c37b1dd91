# SPDX-License-Identifier: Apache-2.0
# init-oci as PID 1 in namespaces of this machine. Needs root, like everything that mounts.

CHECKS += ns matrix

# Starts a run in a millisecond, with a control channel.
$(B)/x86_64/ns-launch: $(call objs,x86_64,tests/ns/launch.c)
	$(call link,x86_64,)
$(B)/x86_64/deny: $(call objs,x86_64,tests/ns/deny.c)
	$(call link,x86_64,)

NS_NEEDS := $(B)/x86_64/probe $(B)/x86_64/deny $(B)/x86_64/ns-launch
.PHONY: check-ns check-ns-coverage
check-ns: $(B)/x86_64/init-oci $(NS_NEEDS)
	$(Q)tests/ns/run.py

# Every place that init-oci reaches x everything an image may have there.
.PHONY: check-matrix
check-matrix: $(B)/x86_64/init-oci $(B)/x86_64/probe
	$(Q)tests/ns/test_matrix.py -j 3

# Of make coverage. PID 1 does not make its profile; this is what the first line does.
check-ns-coverage: $(B)/coverage/init-oci $(NS_NEEDS)
	$(Q)$< --version >$(B)/coverage/version
	$(Q)NS_INIT=$(abspath $<) NS_PROFILE=$(COVERAGE_DIR)/init-oci NS_SUITE=ns-coverage tests/ns/run.py
