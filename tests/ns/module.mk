# SPDX-License-Identifier: Apache-2.0
# init-oci as PID 1 in namespaces of this machine. Needs root, like everything that mounts.

CHECKS += ns

.PHONY: check-ns
check-ns: $(B)/x86_64/init-oci $(B)/x86_64/probe
	$(Q)tests/ns/run.py
