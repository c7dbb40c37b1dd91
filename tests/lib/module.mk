# SPDX-License-Identifier: Apache-2.0
# Suite lib: libsmkernel, with small assets where the real ones would only cost time.

LIB_SMALL := $(LIB_TEST)/small
LIB_WRAP_THREADS := -Wl,--wrap=pthread_create
LIB_CORE  := $(filter-out lib/embedded.c,$(LIB_SRCS))

CHECKS += lib
.PHONY: check-lib

# ThreadSanitizer: the same sources once more.
CC_tsan      := gcc
CFLAGS_tsan  := $(CFLAGS_all) -O1 -g -fsanitize=thread
LDFLAGS_tsan := -fsanitize=thread
$(eval $(call compile_rules,tsan))

$(LIB_SMALL)/assets.h: tests/lib/small-assets.py tests/lib/pack-assets.sh scripts/manifest.sh
	$(Q)tests/lib/small-assets.py $(@D)
	$(Q)tests/lib/pack-assets.sh $(@D)

# $(call lib_variant,VARIANT,DIRECTORY): the library's objects in VARIANT with the assets of DIRECTORY.
lib_variant = $(call objs,$(1),$(LIB_CORE)) $(2)/$(1)/embedded.o $(2)/assets.o
define lib_variant_rules
$(2)/$(1)/embedded.o: lib/embedded.c $(2)/assets.h
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $$(CFLAGS_$(1)) $$(EXTRA_lib) -I$(2) -c $$< -o $$@
endef
$(foreach v,debug host tsan,$(eval $(call lib_variant_rules,$(v),$(LIB_SMALL))))
$(LIB_TEST)/%/assets.o: lib/assets.S $(LIB_TEST)/%/assets.h
	$(call assemble_assets,$(LIB_TEST)/$*/kernel.xz,$(LIB_TEST)/$*/init-oci.xz)

$(LIB_TEST)/sha256: $(call objs,debug,tests/lib/sha256.c lib/sha256.c lib/sha256_cpu.c)
	$(call link,debug)
$(LIB_TEST)/sha256-aarch64: $(call objs,aarch64,tests/lib/sha256.c lib/sha256.c lib/sha256_cpu.c)
	$(call link,aarch64)
$(LIB_TEST)/xz: $(call objs,debug,tests/lib/xz.c) $(call lib_variant,debug,$(LIB_SMALL))
	$(call link,debug,$(LIB_WRAP_THREADS) $(LIB_LIBS))

$(addprefix $(LIB_TEST)/,api override targets): $(LIB_TEST)/%: $(B)/debug/tests/lib/%.o $(call lib_variant,debug,$(LIB_SMALL))
	$(call link,debug,$(LIB_LIBS))

$(addprefix $(LIB_TEST)/,race memory): $(LIB_TEST)/%: $(B)/host/tests/lib/%.o $(call lib_variant,host,$(LIB_SMALL))
	$(call link,host,$(LIB_LIBS))
$(LIB_TEST)/threads: $(B)/tsan/tests/lib/threads.o $(call lib_variant,tsan,$(LIB_SMALL))
	$(call link,tsan,$(LIB_LIBS))
$(LIB_TEST)/tool: $(B)/host/tests/lib/tool.o $(call lib_variant,host,$(LIB_SMALL))
	$(call link,host,$(LIB_LIBS))

# Libraries with damaged assets, one program each.
LIB_DAMAGED := flip truncated empty length checksum replaced swapped-kernel swapped-init
LIB_DAMAGED_DIRS := $(addprefix $(LIB_TEST)/damaged/,$(LIB_DAMAGED))
$(foreach d,$(LIB_DAMAGED_DIRS),$(eval $(call lib_variant_rules,host,$(d))))
$(LIB_TEST)/damaged/expected: tests/lib/damaged-assets.py $(LIB_SMALL)/assets.h
	$(Q)tests/lib/damaged-assets.py $(LIB_SMALL) $(@D)
$(addsuffix /assets.h,$(LIB_DAMAGED_DIRS)): $(LIB_TEST)/damaged/expected ;
$(addsuffix /tool,$(LIB_DAMAGED_DIRS)): %/tool: $(B)/host/tests/lib/tool.o $(call objs,host,$(LIB_CORE)) \
		%/host/embedded.o %/assets.o
	$(call link,host,$(LIB_LIBS))

$(LIB_TEST)/xz_file: $(call objs,debug,tests/lib/xz_file.c lib/xz_parse.c lib/xz_decode.c)
	$(call link,debug,$(LIB_LIBS))

$(LIB_TEST)/format: $(call objs,debug,tests/lib/format.c lib/format.c)
	$(call link,debug)

# Beside `xz -dc`, with the real assets: for the bench.
$(LIB_TEST)/speed: $(call objs,host,tests/lib/speed.c $(LIB_SRCS)) $(LIB_ASSETS)
	$(call link,host,$(LIB_LIBS))

LIB_PROGRAMS := $(addprefix $(LIB_TEST)/,sha256 sha256-aarch64 xz api override targets tool race memory threads xz_file format) $(addsuffix /tool,$(LIB_DAMAGED_DIRS))
# $(call lib_in_directory,PROGRAM): runs it in a new directory of its own.
lib_in_directory = rm -rf $(LIB_TEST)/$(1).d && mkdir -p $(LIB_TEST)/$(1).d && cd $(LIB_TEST)/$(1).d && \
	../$(1) $(abspath $(LIB_SMALL))

check-lib: $(LIB_PROGRAMS) lib
	$(Q)$(LIB_TEST)/sha256
	$(Q)SMK_TEST_SHA_EXPECTED=1 qemu-aarch64-static -cpu max $(LIB_TEST)/sha256-aarch64 | \
		sed 's|lib/sha256|lib/sha256-aarch64|'
	$(Q)$(LIB_TEST)/xz $(LIB_SMALL) 6000
	$(Q)$(LIB_TEST)/format $(LIB_SMALL)
	$(Q)tests/lib/corpus.sh $(LIB_TEST)/xz_file $(abspath $(LIB_TEST)/corpus.d)
	$(Q)$(call lib_in_directory,api)
	$(Q)$(call lib_in_directory,override)
	$(Q)$(call lib_in_directory,targets)
	$(Q)tests/lib/damaged.sh $(LIB_TEST)/damaged
	$(Q)tests/lib/faults.py $(abspath $(LIB_TEST)/tool $(LIB_SMALL) $(LIB_TEST)/faults.d)
	$(Q)tests/lib/surroundings.sh $(abspath $(LIB_TEST)/tool $(LIB_SMALL) $(LIB_TEST)/surroundings.d)
	$(Q)$(call lib_in_directory,memory)
	$(Q)$(call lib_in_directory,threads)
	$(Q)$(call lib_in_directory,race)
	$(Q)tests/lib/install.sh $(abspath $(LIB_TEST)/install.d)
