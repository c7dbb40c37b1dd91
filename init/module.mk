# SPDX-License-Identifier: Apache-2.0
# init-oci: the guest's PID 1.

# Up to the container's root.
INIT_SRCS := init/sys.c init/fs.c init/console.c init/bootargs.c init/early.c init/grace.c init/machine.c \
	init/discover.c init/discover_channels.c init/discover_config.c init/discover_fstype.c init/fstype.c \
	init/discover_layers.c init/target.c init/apply.c init/apply_undo.c init/step_root.c init/verity.c \
	init/step_mount.c init/step_attach.c init/step_bind.c init/step_path.c init/idmap.c init/copy_up.c \
	init/step_node.c init/step_system.c init/net_device.c
# From there to the end.
INIT_SRCS += init/main.c init/tool.c init/spawn.c init/birth.c init/namespace.c init/userns.c \
	init/child.c init/pty.c init/enter.c init/limits.c init/sched.c init/procfs.c init/sysctl.c \
	init/cgroup.c init/cgroup_devices.c init/seccomp.c init/hooks.c init/cred.c init/lookup.c init/user.c init/exec.c \
	init/supervise.c init/life.c init/signals.c init/reap.c init/oom.c init/pressure.c init/requests.c \
	init/channel.c init/ring.c init/relay.c init/relay_input.c init/routes.c init/report.c

INIT_OCI := $(B)/aarch64/init-oci
INIT_OCI_NATIVE := $(B)/x86_64/init-oci

all: $(INIT_OCI)

# One rule for each variant; both are static, and the guest's is stripped by the linker.
define init_oci_rule
$(B)/$(1)/init-oci: $$(call objs,$(1),$$(OCI_SRCS) $$(INIT_SRCS)) | $$(NEEDS_$(1))
	$$(call link,$(1),$(2) -ljansson -lcap)
endef
$(eval $(call init_oci_rule,aarch64,-s))
$(eval $(call init_oci_rule,x86_64,))

$(foreach v,aarch64 x86_64,$(eval $(B)/$(v)/init/main.o $(B)/$(v)/init/tool.o: VERSION))

# What the asset is made from; the manifest records it, and make assets-check compares.
INIT_OCI_INPUTS := $(sort $(INIT_SRCS) $(OCI_SRCS) $(wildcard init/*.h oci/*.h include/smk/*.h) \
	VERSION scripts/third-party.sh)
INIT_OCI_THIRD_PARTY = \
	jansson=$(shell sed -n 's/^jansson //p' $(B)/third-party/aarch64/versions) \
	libcap2=$(shell sed -n 's/^libcap2 //p' $(B)/third-party/aarch64/versions) \
	musl=$(shell dpkg-query -W -f '$${Version}' musl-dev:arm64)

# Replaces the committed asset and its manifest entry by what this tree builds.
.PHONY: init-oci-asset
init-oci-asset: $(INIT_OCI)
	$(Q)scripts/xz-asset.sh $(INIT_OCI) assets/init-oci.xz
	$(Q)INIT_OCI_INPUTS="$(INIT_OCI_INPUTS)" INIT_OCI_CC="$(CC_aarch64)" \
		INIT_OCI_THIRD_PARTY="$(INIT_OCI_THIRD_PARTY)" scripts/manifest.sh record init-oci \
		$(INIT_OCI) assets/init-oci.xz $(VERSION)
