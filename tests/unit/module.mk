# SPDX-License-Identifier: Apache-2.0
# Suites unit and unit-aarch64: the pure code, native with ASan + UBSan, and cross-built under
# qemu-user. Each runs the unit programs, the case directories and the generated configurations.

UNIT_PROGRAMS := arena device edit fail fields image init linux memory message plan run_config run_mounts run_seccomp \
	seccomp spec tables text
unit_bins = $(UNIT_PROGRAMS:%=$(B)/$(1)/tests/unit/%) $(B)/$(1)/tests/cases/run

# What a program needs beside oci/.
UNIT_SRCS_edit := oci/edit.c
UNIT_SRCS_image := $(IMAGE_SRCS)
UNIT_SRCS_run_config := $(IMAGE_SRCS)
UNIT_SRCS_run_mounts := $(IMAGE_SRCS)
UNIT_SRCS_run_seccomp := $(IMAGE_SRCS)
UNIT_SRCS_init := init/bootargs.c init/channel.c init/life.c init/ring.c init/sys.c
UNIT_LINK_seccomp := -lseccomp
UNIT_LINK_arena := -Wl,--wrap=free,--wrap=malloc
UNIT_LINK_edit := -Wl,--wrap=realloc
UNIT_LINK_image := -Wl,--wrap=arena_alloc,--wrap=arena_zalloc
UNIT_LINK_run_config := -Wl,--wrap=malloc
UNIT_LINK_memory := -Wl,--wrap=arena_create,--wrap=planner_add,--wrap=arena_alloc,--wrap=arena_zalloc \
	-Wl,--wrap=arena_strdup,--wrap=arena_printf

define unit_rules
$(UNIT_PROGRAMS:%=$(B)/$(1)/tests/unit/%): $(B)/$(1)/%: $(B)/$(1)/%.o $(call objs,$(1),$(OCI_SRCS))
	$$(call link,$(1),-ljansson $$(UNIT_LINK_$$(@F)))
$(B)/$(1)/tests/cases/run: $(call objs,$(1),tests/cases/run.c $(OCI_SRCS))
	$$(call link,$(1),-ljansson)
$(foreach p,edit image init run_config run_mounts run_seccomp,$(B)/$(1)/tests/unit/$(p): $(call objs,$(1),$(UNIT_SRCS_$(p)))
)
endef
$(foreach v,debug aarch64 coverage,$(eval $(call unit_rules,$(v))))

# $(call run_units,VARIANT,RUNNER): every program, then the cases; all of them, even after a failure.
run_units = $(Q)status=0; for program in $(UNIT_PROGRAMS:%=$(B)/$(1)/tests/unit/%); do \
		$(2) $$program || status=1; done; \
	$(2) $(B)/$(1)/tests/cases/run tests/cases || status=1; \
	python3 tests/cases/generate.py | $(2) $(B)/$(1)/tests/cases/run - || status=1; \
	python3 tests/cases/engines.py | $(2) $(B)/$(1)/tests/cases/run - || status=1; exit $$status

CHECKS += unit unit-aarch64
.PHONY: check-unit check-unit-aarch64
check-unit: $(call unit_bins,debug)
	$(call run_units,debug,)

check-unit-aarch64: $(call unit_bins,aarch64)
	$(call run_units,aarch64,qemu-aarch64-static)

# Of make coverage.
.PHONY: check-unit-coverage
check-unit-coverage: $(call unit_bins,coverage)
	$(call run_units,coverage,)
