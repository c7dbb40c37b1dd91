# SPDX-License-Identifier: Apache-2.0
# Fuzz targets (libFuzzer, ASan and UBSan). A target NAME is tests/fuzz/fuzz_NAME.c, linked with
# FUZZ_SRCS_NAME and FUZZ_LIBS_NAME; FUZZ_SEEDS_NAME is a program that writes seeds into the directory
# that it is given, FUZZ_WORDS_NAME are sources whose strings are its dictionary.
#
#   make fuzz [FUZZ_SECONDS=600] [FUZZERS="config xz"]   those targets for so long, and the table of all runs

FUZZERS ?= bootargs channel config device edit exec fstype initramfs json message passwd seccomp tsi vhost xz
FUZZ_SECONDS ?= 600
FUZZ_JOBS ?= 2

FUZZ_SRCS_initramfs := lib/initramfs.c
FUZZ_SRCS_xz := lib/xz_parse.c lib/xz_decode.c
FUZZ_LIBS_xz := -llzma -pthread
FUZZ_SEEDS_xz := tests/fuzz/seeds-xz.py
FUZZ_SRCS_tsi = $(TSI_SRCS)
FUZZ_LIBS_tsi := -Wl,--wrap=accept4,--wrap=connect,--wrap=listen,--wrap=sendmsg
FUZZ_SEEDS_tsi := tests/fuzz/seeds-tsi.py
FUZZ_SRCS_vhost := $(addprefix host/tsi/,ring.c vhost.c vhost_message.c)
FUZZ_SEEDS_vhost := tests/fuzz/seeds-vhost.py

# What needs all of oci/, and so jansson.
FUZZERS_oci := bootargs channel config device edit exec fstype json message passwd seccomp
$(foreach f,$(FUZZERS_oci),$(eval FUZZ_SRCS_$(f) := $(OCI_SRCS))$(eval FUZZ_LIBS_$(f) := -ljansson))
FUZZ_SRCS_bootargs += init/bootargs.c
FUZZ_SRCS_channel += init/channel.c init/ring.c
FUZZ_SRCS_edit += oci/edit.c
FUZZ_SRCS_exec += init/exec.c init/lookup.c
FUZZ_SRCS_fstype += init/fstype.c
FUZZ_SRCS_passwd += init/lookup.c
$(foreach f,bootargs channel exec passwd,$(eval FUZZ_SRCS_$(f) += init/sys.c))

FUZZ_SEEDS_bootargs := tests/fuzz/seeds-bootargs.sh
FUZZ_SEEDS_channel := tests/fuzz/seeds-channel.py
FUZZ_SEEDS_config := tests/fuzz/seeds-config.sh
FUZZ_SEEDS_device := tests/fuzz/seeds-rules.py
FUZZ_SEEDS_edit := tests/fuzz/seeds-config.sh
FUZZ_SEEDS_exec := tests/fuzz/seeds-exec.py
FUZZ_SEEDS_fstype := tests/fuzz/seeds-fstype.py
FUZZ_SEEDS_json := tests/fuzz/seeds-config.sh
FUZZ_SEEDS_message := tests/fuzz/seeds-message.sh
FUZZ_SEEDS_passwd := tests/fuzz/seeds-passwd.sh
FUZZ_SEEDS_seccomp := tests/fuzz/seeds-rules.py

FUZZ_WORDS_bootargs := init/bootargs.c include/smk/contract.h
FUZZ_WORDS_config := $(filter oci/names% oci/parse%,$(OCI_SRCS))
FUZZ_WORDS_edit := oci/edit.c oci/parse.c oci/parse_process.c
FUZZ_WORDS_message := $(filter oci/message%,$(OCI_SRCS))

CC_fuzz      := clang
CFLAGS_fuzz  := -std=gnu17 $(WARNINGS) -g -O1 -MMD -MP -DSMK_VERSION='"$(VERSION)"' -D_GNU_SOURCE -Iinclude \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined
$(eval $(call compile_rules,fuzz))

define fuzz_rules
$(B)/fuzz/$(1): $(call objs,fuzz,tests/fuzz/fuzz_$(1).c $(FUZZ_SRCS_$(1)))
	$$(call link,fuzz,$$(FUZZ_LIBS_$(1)))
$(if $(FUZZ_WORDS_$(1)),FUZZ_NEEDS += $(B)/fuzz/$(1).dict
$(B)/fuzz/$(1).dict: $(FUZZ_WORDS_$(1)) tests/fuzz/dictionary.sh
	@mkdir -p $$(@D)
	$$(Q)tests/fuzz/dictionary.sh $(FUZZ_WORDS_$(1)) >$$@)
endef
FUZZ_NEEDS := $(addprefix $(B)/fuzz/,$(FUZZERS))
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rules,$(f))))

# $(call fuzz_run,SECONDS)
fuzz_run = tests/fuzz/run.sh $(B)/fuzz $(1) $(FUZZ_JOBS) \
	$(foreach f,$(FUZZERS),$(f)$(addprefix =,$(FUZZ_SEEDS_$(f))))

CHECKS += fuzz
.PHONY: fuzz check-fuzz
fuzz: $(FUZZ_NEEDS)
	$(Q)$(call fuzz_run,$(FUZZ_SECONDS))

# In every check a minute each: the corpus, and something new.
check-fuzz: $(FUZZ_NEEDS)
	$(Q)$(call fuzz_run,60)
