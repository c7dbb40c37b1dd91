# SPDX-License-Identifier: Apache-2.0
# smk, and `make run`, which boots the quickest fixture.

HOST_SRCS := \
	host/assets.c host/bake.c host/bake_directory.c host/bake_files.c host/bake_manifest.c host/boot.c host/bundle.c host/cache.c host/cache_command.c host/channel.c host/console.c host/files.c host/hooks.c host/layer.c \
	host/machine.c host/main.c host/messages.c host/net.c host/net_dns.c host/net_machine.c host/net_options.c host/net_rights.c host/option_values.c host/options.c host/pack.c host/plan.c \
	host/process.c host/run.c host/say.c host/scratch.c host/session.c host/signals.c host/stream.c host/tail.c \
	host/terminal.c host/timing.c host/tree.c host/util.c host/verity.c host/vmm.c host/vmm_command.c host/volumes.c
# Images: from what tools leave on disk to layers and a configuration.
HOST_SRCS += $(addprefix host/image/,choose.c config.c convert.c erofs.c erofs_tree.c image.c layer_merge.c layer_path.c layer_stream.c layer_tar.c layer_tree.c lower.c \
	mounts.c overrides.c prepare.c squashfs.c squashfs_lz4.c squashfs_tree.c store.c)
# TSI: nothing of smk's other parts is in it, so that tests can serve it alone.
TSI_SRCS := $(addprefix host/tsi/,backend.c control.c datagram.c listen.c muxer.c policy.c proxy.c queue.c ring.c stream.c \
	stream_host.c vhost.c vhost_message.c)
HOST_SRCS += $(TSI_SRCS)
# The parser of the guest, and the library's hash, whose names its archive hides.
HOST_SHARED_SRCS := $(wildcard oci/*.c) lib/sha256.c lib/sha256_cpu.c

HOST_LIBS := -ljansson -llzma -larchive -lsquashfs -pthread

SMK := $(B)/host/smk
$(SMK): $(call objs,host,$(HOST_SRCS) $(HOST_SHARED_SRCS)) $(B)/host/libsmkernel.a
	$(call link,host,$(HOST_LIBS))
all: $(SMK)

INSTALL_BIN += $(SMK)
INSTALL_MAN += docs/man/smk.1

# A second make, because what is missing has to be installed before anything is compiled.
.PHONY: run
run: deps
	$(Q)$(MAKE) -s --no-print-directory $(SMK) fixture-busybox
	$(SMK) run --timing $(B)/fixtures/busybox

# The same program with ASan and UBSan; the suite host runs it too.
SMK_DEBUG := $(B)/debug/smk
$(SMK_DEBUG): $(call objs,debug,$(HOST_SRCS) $(HOST_SHARED_SRCS)) $(B)/host/libsmkernel.a
	$(call link,debug,$(HOST_LIBS))
