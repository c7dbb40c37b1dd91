// SPDX-License-Identifier: Apache-2.0
/* The assets' bytes. The build defines KERNEL_XZ and INIT_OCI_XZ as the paths of the files. */
#ifdef __APPLE__
#define SYMBOL(name) _##name
#define HIDDEN(name) .private_extern SYMBOL(name)
	.section __TEXT,__const
#else
#define SYMBOL(name) name
#define HIDDEN(name) .hidden name
	.section .rodata, "a"
#endif

#define ASSET(name, file)                    \
	.globl SYMBOL(name)                 ;\
	HIDDEN(name)                        ;\
	.balign 16                          ;\
SYMBOL(name):                               ;\
	.incbin file                        ;\
	.globl SYMBOL(name##_end)           ;\
	HIDDEN(name##_end)                  ;\
SYMBOL(name##_end):                         ;\
	.byte 0

ASSET(embedded_kernel_xz, KERNEL_XZ)
ASSET(embedded_init_oci_xz, INIT_OCI_XZ)

#ifdef __ELF__
	.section .note.GNU-stack, "", %progbits
#endif
