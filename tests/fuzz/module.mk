# SPDX-License-Identifier: Apache-2.0
# Fuzz targets (libFuzzer, ASan and UBSan). A target NAME is tests/fuzz/fuzz_NAME.c, linked with
# FUZZ_SRCS_NAME and FUZZ_LIBS_NAME; FUZZ_SEEDS_NAME is a program that writes seeds into the directory
# that it is given.
#
#   make fuzz [FUZZ_SECONDS=600]     each target for so long, from the corpus in build/fuzz/NAME.corpus

FUZZERS := config initramfs json message xz
FUZZ_SECONDS ?= 600

FUZZ_SRCS_initramfs := lib/initramfs.c
FUZZ_SRCS_xz := lib/xz_parse.c lib/xz_decode.c
FUZZ_LIBS_xz := -llzma -pthread
FUZZ_SEEDS_xz := tests/fuzz/seeds-xz.py

FUZZ_SRCS_config := $(OCI_SRCS)
FUZZ_LIBS_config := -ljansson
FUZZ_SEEDS_config := tests/fuzz/seeds-config.sh
FUZZ_SRCS_json := $(OCI_SRCS)
FUZZ_LIBS_json := -ljansson
FUZZ_SEEDS_json := tests/fuzz/seeds-config.sh
FUZZ_SRCS_message := $(OCI_SRCS)
FUZZ_LIBS_message := -ljansson
FUZZ_SEEDS_message := tests/fuzz/seeds-message.sh

CC_fuzz      := clang
CFLAGS_fuzz  := -std=gnu17 -g -O1 -MMD -MP -DSMK_VERSION='"$(VERSION)"' -D_GNU_SOURCE -Iinclude \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined
$(eval $(call compile_rules,fuzz))

define fuzz_rules
$(B)/fuzz/$(1): $(call objs,fuzz,tests/fuzz/fuzz_$(1).c $(FUZZ_SRCS_$(1)))
	$$(call link,fuzz,$(FUZZ_LIBS_$(1)))
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rules,$(f))))

# $(call fuzz_run,NAME,SECONDS)
fuzz_run = mkdir -p $(B)/fuzz/$(1).corpus $(B)/fuzz/$(1).seeds; \
	if $(if $(FUZZ_SEEDS_$(1)),$(FUZZ_SEEDS_$(1)) $(B)/fuzz/$(1).seeds &&) \
		$(B)/fuzz/$(1) -max_total_time=$(2) -timeout=20 -rss_limit_mb=2048 -verbosity=0 \
		-artifact_prefix=$(B)/fuzz/$(1).crash- $(B)/fuzz/$(1).corpus $(B)/fuzz/$(1).seeds \
		>$(B)/fuzz/$(1).log 2>&1; then echo "ok fuzz/$(1)"; \
	else echo "not ok fuzz/$(1): see $(B)/fuzz/$(1).log"; tail -n 30 $(B)/fuzz/$(1).log; fi;

CHECKS += fuzz
.PHONY: fuzz check-fuzz
fuzz: $(addprefix $(B)/fuzz/,$(FUZZERS))
	$(Q)$(foreach f,$(FUZZERS),$(call fuzz_run,$(f),$(FUZZ_SECONDS)))

# A short run in every check: the corpus, and a few seconds of something new.
check-fuzz: $(addprefix $(B)/fuzz/,$(FUZZERS))
	$(Q)$(foreach f,$(FUZZERS),$(call fuzz_run,$(f),8))
