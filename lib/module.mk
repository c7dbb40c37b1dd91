# SPDX-License-Identifier: Apache-2.0
# libsmkernel: static and shared library, pkg-config file, installation.
#
# The assets can be replaced, together with the header that describes them (tests do):
#   make lib ASSET_KERNEL_XZ=k.xz ASSET_INIT_OCI_XZ=i.xz ASSET_HEADER=dir/assets.h
# Rooms that come before this one by name append to INSTALL_BIN and INSTALL_MAN what `make install`
# copies.

ASSET_KERNEL_XZ   ?= assets/kernel.xz
ASSET_INIT_OCI_XZ ?= assets/init-oci.xz
ASSET_HEADER      ?= $(B)/gen/assets.h

LIB_SRCS := \
	lib/asset.c lib/directory.c lib/embedded.c lib/extract.c lib/format.c lib/initramfs.c \
	lib/load.c lib/memory.c lib/output.c lib/sha256.c lib/sha256_cpu.c lib/smkernel.c \
	lib/temporary.c lib/xz_decode.c lib/xz_parse.c
LIB_TEST   := $(B)/lib-test
LIB_ASSETS := $(B)/host/lib/assets.o
LIB_LIBS   := -llzma -pthread
LIB_SONAME := libsmkernel.so.$(firstword $(subst ., ,$(VERSION)))
LIB_STATIC := $(B)/host/libsmkernel.a
LIB_SHARED := $(B)/host/libsmkernel.so.$(VERSION)

EXTRA_lib += -fPIC -fvisibility=hidden
CFLAGS_only_lib_embedded := -I$(dir $(ASSET_HEADER))

.PHONY: lib install uninstall
lib: $(LIB_STATIC) $(LIB_SHARED)
all: lib

$(B)/gen/assets.h: assets/manifest.json scripts/manifest.sh
	@mkdir -p $(@D)
	$(Q)scripts/manifest.sh header >$@.new && mv $@.new $@

$(B)/debug/lib/embedded.o $(B)/host/lib/embedded.o: $(ASSET_HEADER) $(B)/gen/assets.inputs

# $(call assemble_assets,KERNEL_XZ,INIT_OCI_XZ): the recipe of an object that carries two assets.
assemble_assets = @mkdir -p $(@D); echo "  AS      $@"; \
	$(CC_host) -DKERNEL_XZ='"$(1)"' -DINIT_OCI_XZ='"$(2)"' -c lib/assets.S -o $@

# Changes when the variables do: other assets are other inputs, whatever their times say.
LIB_INPUTS := $(B)/gen/assets.inputs
$(LIB_INPUTS): FORCE
	@mkdir -p $(@D); echo "$(ASSET_KERNEL_XZ) $(ASSET_INIT_OCI_XZ) $(ASSET_HEADER)" | cmp -s - $@ || \
		echo "$(ASSET_KERNEL_XZ) $(ASSET_INIT_OCI_XZ) $(ASSET_HEADER)" >$@
.PHONY: FORCE
FORCE:

$(LIB_ASSETS): lib/assets.S $(LIB_INPUTS) $(ASSET_KERNEL_XZ) $(ASSET_INIT_OCI_XZ)
	$(call assemble_assets,$(ASSET_KERNEL_XZ),$(ASSET_INIT_OCI_XZ))

# One object whose hidden symbols are local: an archive of many would put our internal names into
# every program that links it.
$(LIB_STATIC): $(call objs,host,$(LIB_SRCS)) $(LIB_ASSETS)
	@echo "  AR      $@"
	$(Q)$(LD_host) -r -o $(@:.a=.o) $^
	$(Q)$(OBJCOPY_host) --localize-hidden $(@:.a=.o)
	$(Q)rm -f $@ && $(AR_host) rcsD $@ $(@:.a=.o)

$(LIB_SHARED): $(call objs,host,$(LIB_SRCS)) $(LIB_ASSETS) lib/libsmkernel.map
	@echo "  LINK    $@"
	$(Q)$(CC_host) -shared -Wl,-soname,$(LIB_SONAME) -Wl,--version-script,lib/libsmkernel.map \
		-Wl,-z,defs,-z,relro,-z,now,-z,noexecstack $(filter %.o,$^) $(LDFLAGS_host) $(LIB_LIBS) -o $@
	$(Q)ln -sfn $(@F) $(@D)/$(LIB_SONAME) && ln -sfn $(LIB_SONAME) $(@D)/libsmkernel.so

LD_host      := ld
AR_host      := ar
OBJCOPY_host := objcopy

# ---- installation ---------------------------------------------------------------------------------

PREFIX  ?= /usr/local
DESTDIR ?=
INSTALL_MAN := $(sort $(INSTALL_MAN) docs/man/smkernel.3 docs/man/init-oci.8)

# The manual section is the file name's last part.
INSTALL_ROOT = $(DESTDIR)$(PREFIX)
INSTALLED = $(addprefix bin/,$(notdir $(INSTALL_BIN))) \
	$(foreach m,$(INSTALL_MAN),share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
	include/smkernel.h lib/pkgconfig/smkernel.pc lib/libsmkernel.a lib/libsmkernel.so \
	lib/$(LIB_SONAME) lib/$(notdir $(LIB_SHARED))

install: lib $(INSTALL_BIN) $(INSTALL_MAN)
	$(Q)install -d $(addprefix $(INSTALL_ROOT)/,$(sort $(dir $(INSTALLED))))
	$(Q)$(foreach f,$(INSTALL_BIN),install -m 0755 $(f) $(INSTALL_ROOT)/bin/;)
	$(Q)$(foreach m,$(INSTALL_MAN),install -m 0644 $(m) \
		$(INSTALL_ROOT)/share/man/man$(subst .,,$(suffix $(m)))/;)
	$(Q)install -m 0644 include/smkernel.h $(INSTALL_ROOT)/include/
	$(Q)install -m 0644 $(LIB_STATIC) $(LIB_SHARED) $(INSTALL_ROOT)/lib/
	$(Q)ln -sfn $(notdir $(LIB_SHARED)) $(INSTALL_ROOT)/lib/$(LIB_SONAME)
	$(Q)ln -sfn $(LIB_SONAME) $(INSTALL_ROOT)/lib/libsmkernel.so
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' lib/smkernel.pc.in \
		>$(INSTALL_ROOT)/lib/pkgconfig/smkernel.pc
	$(Q)[ -n "$(DESTDIR)" ] || [ "$$(id -u)" -ne 0 ] || ldconfig

uninstall:
	$(Q)rm -f $(addprefix $(INSTALL_ROOT)/,$(INSTALLED))
