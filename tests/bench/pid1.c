// SPDX-License-Identifier: Apache-2.0
// The smallest PID 1: executes the marker, reports the virtual clock, powers the machine off.
// With it the bench counts the kernel's own part of the boot; freestanding, no libc.
#include <stdint.h>

enum { SYS_REBOOT = 142 };

static void power_off(void)
{
	register long x0 __asm__("x0") = 0xfee1dead;
	register long x1 __asm__("x1") = 672274793;
	register long x2 __asm__("x2") = 0x4321fedc;
	register long x3 __asm__("x3") = 0;
	register long x8 __asm__("x8") = SYS_REBOOT;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x8) : "memory");
}

// Nanoseconds of virtual time since reset.
static uint64_t clock_ns(void)
{
	uint64_t count;
	uint64_t frequency;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	return count * (1000000000 / frequency);
}

static void report_value(uint64_t value)
{
	for (int bit = 63; bit >= 0; bit--)
		if (value >> bit & 1)
			__asm__ volatile("hint #95");
		else
			__asm__ volatile("hint #94");
}

_Noreturn void _start(void);

_Noreturn void _start(void)
{
	__asm__ volatile("hint #87");
	report_value(clock_ns());
	for (;;)
		power_off();
}
