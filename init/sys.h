// SPDX-License-Identifier: Apache-2.0
/*
 * System calls the way init-oci needs them: the new mount API (which musl does not wrap), calls
 * that are repeated after EINTR, and descriptors that close themselves.
 *
 * All return what the system call returns, -1 with errno set on failure. Everything that is opened
 * here is close-on-exec.
 */
#ifndef INIT_SYS_H
#define INIT_SYS_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/mount.h>
#include <linux/openat2.h>

/* Not in every libc's fcntl.h; and sys/mount.h, which has the others, does not go with
 * linux/mount.h. */
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MNT_DETACH
#define MNT_DETACH      0x2
#define UMOUNT_NOFOLLOW 0x8
#endif

/* A descriptor that is closed when its variable goes out of scope; -1: nothing to close. */
#define AUTO_FD __attribute__((cleanup(sys_close))) int

/* Closes *fd unless it is -1, and sets it to -1. Keeps errno. */
void sys_close(int *fd);
/* Hands the descriptor to a caller: returns *fd and leaves -1. */
int sys_take(int *fd);

int sys_open(int dir_fd, const char *path, int flags, mode_t mode);
/* openat2; how_resolve: RESOLVE_* */
int sys_open_resolve(int dir_fd, const char *path, int flags, mode_t mode, uint64_t how_resolve);
/* Kills a child and collects it. Who cannot be killed is not waited for: it ends with the machine. */
void sys_end_child(pid_t pid);
/* Reads until size bytes or the end of the file. */
ssize_t sys_read_full(int fd, void *buffer, size_t size);
int sys_write_full(int fd, const void *buffer, size_t size);
/*
 * The text of a small file (sysfs, procfs) without its last newline; always terminated, at most
 * size - 1 bytes. Returns the length.
 */
ssize_t sys_read_text(int dir_fd, const char *path, char *buffer, size_t size);

int sys_fsopen(const char *fstype);
int sys_fsconfig(int fs_fd, unsigned command, const char *key, const char *value);
int sys_fsmount(int fs_fd, unsigned attrs);
int sys_fspick(int dir_fd, const char *path);
/* An empty path means dir_fd itself. flags: OPEN_TREE_CLONE, AT_RECURSIVE */
int sys_open_tree(int dir_fd, const char *path, unsigned flags);
/* Attaches a mount (its descriptor) on whatever target_fd refers to. */
int sys_attach(int mount_fd, int target_fd);
/* flags: AT_RECURSIVE or 0 */
int sys_mount_setattr(int mount_fd, unsigned flags, const struct mount_attr *attr);
int sys_umount(const char *path, int flags);
/* Milliseconds of CLOCK_MONOTONIC. */
int64_t sys_now_ms(void);

#endif
