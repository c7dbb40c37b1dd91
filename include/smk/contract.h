// SPDX-License-Identifier: Apache-2.0
/*
 * The boot contract's names, shared by guest and host. docs/boot-contract.md explains them.
 */
#ifndef SMK_CONTRACT_H
#define SMK_CONTRACT_H

#define SMK_CONTRACT_VERSION 1

/* virtio-blk serials, and virtiofs / 9p tags. */
#define SMK_SERIAL_LAYER_FORMAT "smk-layer-%03u" /* 0 is the lowest */
#define SMK_SERIAL_UPPER        "smk-upper"
#define SMK_SERIAL_CONFIG       "smk-config"

/* virtio-serial port names. */
#define SMK_PORT_CONTROL "smk.control"
#define SMK_PORT_STDIN   "smk.stdin"
#define SMK_PORT_STDOUT  "smk.stdout"
#define SMK_PORT_STDERR  "smk.stderr"

/* In the initramfs. */
#define SMK_PATH_INIT   "/init"
#define SMK_PATH_CONFIG "/config.json"

/*
 * Kernel command line keys (all begin with "smk."; an unknown one is an error):
 *   smk.config=file:PATH | disk:ID           where config.json is
 *   smk.layers=SOURCE[,SOURCE...]            lowest first; SOURCE: disk:ID, virtiofs:TAG, 9p:TAG, or ID
 *   smk.upper=tmpfs[:SIZE] | disk:ID | none  the writable layer
 *   smk.control=port:NAME | vsock:PORT | fd:N | none
 *   smk.dns=ADDRESS[,ADDRESS[,ADDRESS]]      name servers, for the container's /etc/resolv.conf
 *   smk.search=DOMAIN[,DOMAIN...]            its search list, with smk.dns
 * ID is a virtio-blk serial, or else a device name ("vda"). fd:N is a descriptor that was open when
 * init-oci began: for a program that starts it as PID 1 itself, in a namespace or behind a loader.
 */
#define SMK_KEY_PREFIX  "smk."
#define SMK_KEY_CONFIG  "smk.config"
#define SMK_KEY_LAYERS  "smk.layers"
#define SMK_KEY_UPPER   "smk.upper"
#define SMK_KEY_CONTROL "smk.control"
#define SMK_KEY_DNS     "smk.dns"
#define SMK_KEY_SEARCH  "smk.search"

#define SMK_DNS_MAX   3   /* as many as resolvers ask */
#define SMK_NAMES_MAX 255 /* bytes of either list */
/* Those of a domain; an address may have ":" too, and "%" before a scope. */
#define SMK_NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* The exit record on the console, when no channel took it: this prefix, JSON, newline. */
#define SMK_EXIT_LINE_PREFIX "smk-exit: "

/* "hint #87": a no-op that marks PID 1's main and the bench's entrypoint for instruction counts. */
#if defined(__aarch64__)
#define SMK_MARK() __asm__ volatile("hint #87")
#else
#define SMK_MARK() ((void)0)
#endif

#endif
