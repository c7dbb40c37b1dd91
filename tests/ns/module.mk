# SPDX-License-Identifier: Apache-2.0
# init-oci as PID 1 in namespaces of this machine. Needs root, like everything that mounts.

CHECKS += ns matrix

# Starts a run in a millisecond, with a control channel.
$(B)/x86_64/ns-launch: $(call objs,x86_64,tests/ns/launch.c)
	$(call link,x86_64,)
$(B)/x86_64/deny: $(call objs,x86_64,tests/ns/deny.c)
	$(call link,x86_64,)

.PHONY: check-ns
check-ns: $(B)/x86_64/init-oci $(B)/x86_64/probe $(B)/x86_64/deny $(B)/x86_64/ns-launch
	$(Q)tests/ns/run.py

# Every place that init-oci reaches x everything an image may have there.
.PHONY: check-matrix
check-matrix: $(B)/x86_64/init-oci $(B)/x86_64/probe
	$(Q)tests/ns/test_matrix.py -j 3
