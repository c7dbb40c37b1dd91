# SPDX-License-Identifier: Apache-2.0
# The probe: a static program that is the entrypoint of test containers.

PROBE_SRCS := tests/probe/main.c tests/probe/json.c tests/probe/facts.c tests/probe/facts_process.c tests/probe/facts_namespaces.c tests/probe/facts_schedule.c \
	tests/probe/facts_files.c tests/probe/facts_access.c tests/probe/process.c tests/probe/stream.c tests/probe/attack.c tests/probe/tree.c \
	tests/probe/entries.c tests/probe/stalk.c lib/sha256.c lib/sha256_cpu.c

.PHONY: probe
probe: $(B)/aarch64/probe $(B)/x86_64/probe

define probe_rule
$(B)/$(1)/probe: $$(call objs,$(1),$$(PROBE_SRCS))
	$$(call link,$(1),-s)
endef
$(foreach v,aarch64 x86_64,$(eval $(call probe_rule,$(v))))
