// SPDX-License-Identifier: Apache-2.0
// The smallest PID 1: executes the marker, prints the virtual counter, powers the machine off.
// With it the bench counts the kernel's own part of the boot; freestanding, no libc.
#include <stdint.h>

enum { SYS_WRITE = 64, SYS_REBOOT = 142 };

static long system_call(long number, long a, long b, long c, long d)
{
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x8 __asm__("x8") = number;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x8) : "memory");
	return x0;
}

// Nanoseconds of virtual time since reset; the waits are this minus the instructions.
static uint64_t counter_ns(void)
{
	uint64_t count;
	uint64_t frequency;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	return count * (1000000000 / frequency);
}

_Noreturn void _start(void);

_Noreturn void _start(void)
{
	__asm__ volatile("hint #87");

	char text[32] = "virtual_ns                     \n";
	uint64_t ns = counter_ns();

	for (int i = sizeof text - 2; ns; ns /= 10)
		text[i--] = (char)('0' + ns % 10);
	system_call(SYS_WRITE, 1, (long)text, sizeof text, 0);
	for (;;)
		system_call(SYS_REBOOT, (long)0xfee1dead, 672274793, 0x4321fedc, 0);
}
