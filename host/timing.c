// SPDX-License-Identifier: Apache-2.0
/*
 * The line of --timing. The host's clock says how long smk and QEMU took; the guest's flight
 * recorder (nanoseconds since its kernel's clock started) divides what happened inside.
 */
#include "host.h"

#include <stdio.h>

static double mark_ms(const struct marks *marks, enum mark mark)
{
	return (double)marks->at_ns[mark] / 1e6;
}

/* From one mark to the next; 0 when either was not reached. */
static double between_ms(const struct marks *marks, enum mark from, enum mark to)
{
	if (!marks->at_ns[from] || marks->at_ns[to] < marks->at_ns[from])
		return 0;
	return mark_ms(marks, to) - mark_ms(marks, from);
}

/* What QEMU took until the guest's clock started: all until hello, less the guest's own time. */
static double vmm_ms(const struct timeline *timeline)
{
	double last = 0;

	for (int i = 0; i < MARK__COUNT; i++)
		if (mark_ms(&timeline->hello_marks, (enum mark)i) > last)
			last = mark_ms(&timeline->hello_marks, (enum mark)i);
	return timeline->hello_ms ? timeline->hello_ms - timeline->started_ms - last : 0;
}

void timing_print(const struct timeline *timeline, const struct exit_record *record,
		  bool is_layer_cached)
{
	const struct marks *marks = &record->marks;
	char stages[256] = "";
	size_t length = 0;

	for (int i = MARK_BOOTARGS; i <= MARK_SPAWN && length < sizeof(stages); i++)
		length += (size_t)snprintf(stages + length, sizeof(stages) - length, "%s%s %.1f",
					   length ? ", " : "", mark_name((enum mark)i),
					   between_ms(marks, (enum mark)(i - 1), (enum mark)i));
	say("timing: %.0f ms: pack %.0f%s, assets %.0f, vmm %.0f, kernel %.0f, init %.1f (%s), "
	    "run %.1f, end %.0f",
	    timeline->end_ms - timeline->begin_ms, timeline->packed_ms - timeline->begin_ms,
	    is_layer_cached ? " (cached)" : "", timeline->ready_ms - timeline->packed_ms,
	    vmm_ms(timeline), mark_ms(marks, MARK_MAIN), between_ms(marks, MARK_MAIN, MARK_SPAWN),
	    stages, between_ms(marks, MARK_SPAWN, MARK_EXIT), timeline->end_ms - timeline->exit_ms);
}
