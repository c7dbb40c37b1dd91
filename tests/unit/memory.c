// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that runs out: parse and plan with every limit from nothing to enough, and with each single
 * allocation refused. It must be a failure of the right form, and no leak. Linked with the arena's
 * functions wrapped.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "oci/arena.h"
#include "oci/document.h"
#include "oci/message.h"
#include "oci/parse.h"
#include "oci/planner.h"
#include "oci/seccomp_filter.h"
#include "tests/t.h"

static size_t refused_in; /* the n-th allocation from now fails; 0: none */

struct arena *__real_arena_create(size_t max_bytes);
struct arena *__wrap_arena_create(size_t max_bytes);
int __real_planner_add(struct planner *planner, const struct step *step, struct failure *f);
int __wrap_planner_add(struct planner *planner, const struct step *step, struct failure *f);
void *__real_arena_alloc(struct arena *arena, size_t size);
void *__real_arena_zalloc(struct arena *arena, size_t count, size_t size);
char *__real_arena_strdup(struct arena *arena, const char *words);
void *__wrap_arena_alloc(struct arena *arena, size_t size);
void *__wrap_arena_zalloc(struct arena *arena, size_t count, size_t size);
char *__wrap_arena_strdup(struct arena *arena, const char *words);
char *__wrap_arena_printf(struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool is_refused(void)
{
	return refused_in && --refused_in == 0;
}

struct arena *__wrap_arena_create(size_t max_bytes)
{
	return is_refused() ? NULL : __real_arena_create(max_bytes);
}

/* The list of steps grows seldom: here each of them may be the one that has no room. */
int __wrap_planner_add(struct planner *planner, const struct step *step, struct failure *f)
{
	return is_refused() ? fail_memory(f) : __real_planner_add(planner, step, f);
}

void *__wrap_arena_alloc(struct arena *arena, size_t size)
{
	return is_refused() ? NULL : __real_arena_alloc(arena, size);
}

void *__wrap_arena_zalloc(struct arena *arena, size_t count, size_t size)
{
	return is_refused() ? NULL : __real_arena_zalloc(arena, count, size);
}

char *__wrap_arena_strdup(struct arena *arena, const char *words)
{
	return is_refused() ? NULL : __real_arena_strdup(arena, words);
}

char *__wrap_arena_printf(struct arena *arena, const char *fmt, ...)
{
	char words[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	return is_refused() ? NULL : __real_arena_strdup(arena, words);
}

static const char all[] =
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\",\"readonly\":true},\"hostname\":\"h\","
	"\"annotations\":{\"a\":\"b\\n\"},\"process\":{\"args\":[\"a\\u0041\"],\"env\":[\"A=b\"],"
	"\"cwd\":\"/c\",\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[1]},"
	"\"capabilities\":{\"bounding\":[\"CAP_X\"],\"effective\":[\"CAP_KILL\"]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":18446744073709551615}]},"
	"\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"ro\",\"x=y\"]},"
	"{\"destination\":\"/b\",\"source\":\"/c\",\"options\":[\"bind\"]}],"
	"\"hooks\":{\"prestart\":[{\"path\":\"/h\"}]},"
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"user\"}],"
	"\"x\":-1.5,\"cgroupsPath\":\"a:b:c\",\"netDevices\":{\"eth0\":{}},"
	"\"sysctl\":{\"a.b\":\"c\"},\"maskedPaths\":[\"/m\"],\"readonlyPaths\":[\"/n\"],"
	"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[\"read\"],"
	"\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}"
	"]},"
	"\"resources\":{\"unified\":{\"memory.high\":\"1\"},\"pids\":{\"limit\":1},"
	"\"memory\":{\"limit\":5,\"reservation\":1,\"swap\":5},"
	"\"cpu\":{\"cpus\":\"0\",\"mems\":\"0\",\"shares\":2,\"quota\":1,\"period\":2,\"burst\":1,"
	"\"idle\":0},\"blockIO\":{\"weight\":10,\"weightDevice\":[{\"major\":1,\"minor\":1,"
	"\"weight\":10}],\"throttleReadBpsDevice\":[{\"major\":1,\"minor\":1,\"rate\":1}]},"
	"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}],\"rdma\":{\"d\":{\"hcaHandles\":1}"
	"},"
	"\"devices\":[{\"allow\":true}]},\"devices\":"
	"[{\"type\":\"c\",\"path\":\"/dev/x\",\"major\":1,\"minor\":1},"
	"{\"type\":\"p\",\"path\":\"/dev/y\"}]}}";

/* What the first cannot be as well: other namespaces, mounts instead of the defaults. */
static const char other[] =
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"hostname\":\"h\",\"domainname\":"
	"\"d\","
	"\"process\":{\"args\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"],\"cwd\":\"/"
	"c\","
	"\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":{\"inheritable\":[\"CAP_KILL\"],"
	"\"ambient\":[\"CAP_CHOWN\"]}},"
	"\"annotations\":{\"dev.supermachine.volume.000\":\"/a/\"},"
	"\"mounts\":[{\"destination\":\"a\",\"type\":\"tmpfs\",\"options\":[\"tmpcopyup\",\"ro\","
	"\"mand\"]},"
	"{\"destination\":\"/b\",\"type\":\"cgroup\",\"options\":[\"rbind\",\"ro\",\"bind\"],"
	"\"source\":\"/c\"},{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"options\":[\"ro\"]}],"
	"\"linux\":{\"namespaces\":[{\"type\":\"uts\"},{\"type\":\"ipc\"},{\"type\":\"cgroup\"},"
	"{\"type\":\"network\",\"path\":\"/n\"}],\"netDevices\":{\"eth0\":{}},"
	"\"rootfsPropagation\":\"shared\","
	"\"sysctl\":{\"kernel.msgmax\":\"1\",\"net.x\":\"2\",\"a.b\":\"c\"}}}";

static const char *text = all;
static bool is_boot_root; /* the plan is for init= */

static int run(size_t limit, size_t *ret_used, struct failure *f)
{
	static const struct plan_layer layers[] = {{SOURCE_BLOCK, "vda", "squashfs"},
						   {SOURCE_BLOCK, "vdb", "ext4"}};
	static const struct plan_layer boot_root = {SOURCE_BOOT_ROOT, NULL, NULL};
	struct plan_sources sources = {
		.layers = layers, .layer_count = 2, .upper_size = "1M", .resolv_conf = "x\n"};
	struct oci_spec spec;
	struct plan plan = {.steps = NULL};
	int result;

	if (is_boot_root) {
		sources.layers = &boot_root;
		sources.layer_count = 1;
	}
	if (oci_parse_within(limit, text, strlen(text), 5, &spec, f))
		return -1;
	result = plan_build(&spec, &sources, &plan, f);
	CHECK(result == 0 || !plan.steps);
	if (ret_used)
		*ret_used = arena_used(spec.arena);
	oci_spec_finish(&spec);
	return result;
}

static void every_allocation_may_fail(void)
{
	struct failure f = {.stage = STAGE_NONE};
	size_t enough = 0;
	size_t failures = 0;

	CHECK_INT(run(OCI_HEAP_MAX_BYTES, &enough, &f), 0);
	CHECK(enough > 1000);
	for (size_t limit = 0; limit < enough; limit += 16) {
		f = (struct failure){.stage = STAGE_NONE};
		CHECK_INT(run(limit, NULL, &f), -1);
		CHECK_STR(f.why, "more memory is needed than it may use");
		CHECK(f.stage == STAGE_PARSE || f.stage == STAGE_PLAN);
		failures++;
	}
	CHECK(failures > 100);
	CHECK_INT(run(enough, NULL, &f), 0);
}

/* What is refused may come back: nothing relies on memory staying scarce. */
static void refuse_each_alone(void)
{
	struct failure f;
	size_t n = 0;

	for (;;) {
		f = (struct failure){.stage = STAGE_NONE};
		refused_in = ++n;
		if (run(OCI_HEAP_MAX_BYTES, NULL, &f) == 0)
			break;
		CHECK_INT(refused_in, 0);
		if (refused_in)
			break; /* another failure: it would be there for ever */
		CHECK_STR(f.why, "more memory is needed than it may use");
		CHECK(f.stage == STAGE_PARSE || f.stage == STAGE_PLAN);
	}
	CHECK(refused_in > 0);
	CHECK(n > 100);
	refused_in = 0;
}

static void each_allocation_alone_may_fail(void)
{
	refuse_each_alone();
	is_boot_root = true;
	refuse_each_alone();
	is_boot_root = false;
	text = other;
	refuse_each_alone();
	text = all;
}

static void seccomp_may_run_out(void)
{
	static char name[] = "read";
	char *names[] = {name};
	struct oci_seccomp_rule rule = {.names = {.items = names, .count = 1}};
	const struct oci_seccomp seccomp = {.rules = &rule, .rule_count = 1};
	struct arena *arena = arena_create(OCI_HEAP_MAX_BYTES);
	struct seccomp_filter filter = {.code = NULL};
	struct failure f = {.stage = STAGE_NONE};
	size_t n = 0;

	for (refused_in = ++n; seccomp_compile(&seccomp, arena, &filter, &f); refused_in = ++n) {
		CHECK_INT(refused_in, 0);
		CHECK_STR(f.why, "more memory is needed than it may use");
		CHECK(!filter.code);
		f = (struct failure){.stage = STAGE_NONE};
	}
	CHECK_INT(n, 4);
	CHECK(filter.length > 0);
	refused_in = 0;
	arena_destroy(arena);
}

static void messages_may_run_out(void)
{
	static const char message[] =
		"{\"type\":\"exit\",\"phase\":\"run\",\"code\":1,\"signal\":0,\"failure\":"
		"{\"stage\":\"spawn\",\"code\":0,\"errno\":2,\"why\":\"a\\n\"},"
		"\"userMicroseconds\":18446744073709551615}";
	struct failure f = {.stage = STAGE_NONE};
	struct event event;
	size_t n = 0;

	for (refused_in = ++n; event_decode(message, sizeof(message) - 1, &event, &f); n++) {
		CHECK_INT(refused_in, 0);
		CHECK_STR(f.why, "more memory is needed than it may use");
		f = (struct failure){.stage = STAGE_NONE};
		refused_in = n + 1;
	}
	CHECK(n > 20);
	CHECK(event.exit.user_us == UINT64_MAX);
	refused_in = 0;
}

/* A text that takes much more memory than itself. */
static void the_limit_holds(void)
{
	size_t length = OCI_CONFIG_MAX_BYTES;
	char *bytes = malloc(length);
	struct failure f = {.stage = STAGE_NONE};
	struct oci_spec spec;

	if (!bytes)
		abort();
	memset(bytes, '[', length);
	memcpy(bytes, "{\"z\":[", 6);
	for (size_t i = 6; i + 3 < length; i += 3)
		memcpy(bytes + i, "[],", 3);
	CHECK_INT(oci_parse(bytes, length, 5, &spec, &f), -1);
	CHECK_STR(f.why, "more memory is needed than it may use");
	free(bytes);
}

static const struct t_case cases[] = {
	{"every allocation may fail", every_allocation_may_fail},
	{"each allocation alone may fail", each_allocation_alone_may_fail},
	{"messages may run out", messages_may_run_out},
	{"seccomp may run out", seccomp_may_run_out},
	{"the limit holds", the_limit_holds},
};
T_MAIN("memory", cases)
