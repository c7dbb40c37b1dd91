# SPDX-License-Identifier: Apache-2.0
# init-oci: the guest's PID 1.

# Up to the container's root.
INIT_SRCS := init/sys.c init/fs.c init/console.c init/bootargs.c init/early.c init/machine.c \
	init/discover.c init/discover_channels.c init/discover_config.c init/discover_fstype.c \
	init/discover_layers.c init/target.c init/apply.c init/apply_undo.c init/step_root.c \
	init/step_mount.c init/step_node.c init/step_system.c
