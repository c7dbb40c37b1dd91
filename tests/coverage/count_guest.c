// SPDX-License-Identifier: Apache-2.0
/*
 * Counters in a virtual machine: in memory that all of PID 1's children share, and at the power-off
 * in a file of the host.
 *
 * The file is written by semihosting: an instruction that asks the emulator for a system call of its own,
 * so that the machine has no device more than the test gave it. Its name is the emulator's option
 * -semihosting-config arg=. The linker replaces reboot(2) by __wrap_reboot().
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/coverage/profile.h"

enum { SEMI_OPEN = 0x01, SEMI_CLOSE = 0x02, SEMI_WRITE = 0x05, SEMI_COMMAND_LINE = 0x15 };
enum { SEMI_MODE_WB = 5 };

static void *counters;

int __real_reboot(int command);
int __wrap_reboot(int command);

static intptr_t ask(int operation, const uintptr_t *block)
{
	register intptr_t w0 __asm__("x0") = operation;
	register const uintptr_t *x1 __asm__("x1") = block;

	__asm__ volatile("hlt #0xf000" : "+r"(w0) : "r"(x1) : "memory");
	return w0;
}

/* All of it in one piece that has just been written, so that the emulator finds every page. */
static char *whole_file(const struct profile *p)
{
	char *file =
		mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (file == MAP_FAILED)
		return NULL;
	memset(file, 0, p->size);
	memcpy(file, &p->header, sizeof(p->header));
	memcpy(file + sizeof(p->header), p->records, p->records_size);
	memcpy(file + p->counters_at, counters, p->counters_size);
	memcpy(file + p->names_at, p->names, p->names_size);
	return file;
}

int __wrap_reboot(int command)
{
	struct profile p = profile_of_program();
	char *file = counters ? whole_file(&p) : NULL;
	char path[512] = {0};

	if (file && ask(SEMI_COMMAND_LINE, (uintptr_t[]){(uintptr_t)path, sizeof(path)}) == 0) {
		intptr_t fd =
			ask(SEMI_OPEN, (uintptr_t[]){(uintptr_t)path, SEMI_MODE_WB, strlen(path)});

		ask(SEMI_WRITE, (uintptr_t[]){(uintptr_t)fd, (uintptr_t)file, p.size});
		ask(SEMI_CLOSE, (uintptr_t[]){(uintptr_t)fd});
	}
	return __real_reboot(command);
}

__attribute__((constructor)) static void share_counters(void)
{
	struct profile p = profile_of_program();

	if (getpid() != 1)
		return;
	counters = mmap(NULL, p.counters_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (counters == MAP_FAILED)
		counters = NULL;
	else
		profile_count_at(counters);
}
