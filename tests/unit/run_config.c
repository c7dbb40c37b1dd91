// SPDX-License-Identifier: Apache-2.0
/*
 * The conversion of an image's configuration, with what a command line says: each text is accepted
 * by oci_parse(), and its members are compared. Linked with malloc() wrapped.
 */
#include <linux/capability.h>

#include "oci/names.h"
#include "tests/unit/run_config.h"

static bool is_refused; /* the next malloc() gets nothing */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	bool now = is_refused;

	is_refused = false;
	return now ? NULL : __real_malloc(size);
}

/* ---- process ---------------------------------------------------------------------------------- */

static void args(void)
{
	const struct {
		const char *image;
		struct oci_overrides over;
		const char *want;
	} rows[] = {
		{IMAGE("\"Entrypoint\":[\"e\",\"1\"],\"Cmd\":[\"c\",\"2\"]"),
		 {0},
		 "[\"e\",\"1\",\"c\",\"2\"]"},
		{IMAGE("\"Entrypoint\":[\"e\"]"), {0}, "[\"e\"]"},
		{IMAGE("\"Cmd\":[\"c\",\"\"]"), {0}, "[\"c\",\"\"]"},
		{IMAGE("\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]"),
		 {.args = WORDS(W("a"))},
		 "[\"e\",\"a\"]"},
		{IMAGE("\"Cmd\":[\"c\"]"), {.args = WORDS(W("a"), W("b"))}, "[\"a\",\"b\"]"},
		{IMAGE("\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]"),
		 {.has_entrypoint = true, .entrypoint = WORDS(W("n"))},
		 "[\"n\"]"},
		{IMAGE("\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]"),
		 {.has_entrypoint = true, .entrypoint = WORDS(W("n")), .args = WORDS(W("a"))},
		 "[\"n\",\"a\"]"},
		{IMAGE("\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]"),
		 {.has_entrypoint = true, .args = WORDS(W("a"))},
		 "[\"a\"]"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		check_one(rows[i].image, &rows[i].over, " process args", rows[i].want);
}

#define PATH "\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\""
#define OURS ",\"container=smk\",\"HOSTNAME=smk\""

static void environment(void)
{
	const struct {
		const char *image;
		struct oci_overrides over;
		const char *want;
	} rows[] = {
		{IMAGE(RUN), {0}, "[" PATH OURS "]"},
		{IMAGE(RUN), {.terminal = true}, "[" PATH OURS ",\"TERM=xterm\"]"},
		{IMAGE(RUN ",\"Env\":[\"PATH=/p\",\"TERM=vt\"]"),
		 {.terminal = true},
		 "[\"container=smk\",\"HOSTNAME=smk\",\"PATH=/p\",\"TERM=vt\"]"},
		{IMAGE(RUN),
		 {.terminal = true, .env = WORDS(W("PATH="), W("TERM=x=y"))},
		 "[\"container=smk\",\"HOSTNAME=smk\",\"PATH=\",\"TERM=x=y\"]"},
		{IMAGE(RUN), {.hostname = "h"}, "[" PATH ",\"container=smk\",\"HOSTNAME=h\"]"},
		{IMAGE(RUN ",\"Env\":[\"HOSTNAME=i\"]"),
		 {.hostname = "h", .env = WORDS(W("container=x"))},
		 "[" PATH ",\"HOSTNAME=i\",\"container=x\"]"},
		{IMAGE(RUN ",\"Env\":[\"PATHS=/p\",\"A=1\",\"A=2\",\"B=1\"]"),
		 {.env = WORDS(W("B=2"), W("C=1"), W("C=2"))},
		 "[" PATH OURS ",\"PATHS=/p\",\"A=2\",\"B=2\",\"C=2\"]"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		check_one(rows[i].image, &rows[i].over, " process env", rows[i].want);
}

static void place(void)
{
	static const struct oci_overrides none, moved = {.working_dir = "/over"},
						empty = {.working_dir = ""};

	check_one(IMAGE(RUN), &none, " process cwd", "\"/\"");
	check_one(IMAGE(RUN ",\"WorkingDir\":\"\""), &none, " process cwd", "\"/\"");
	check_one(IMAGE(RUN ",\"WorkingDir\":\"/w\""), &none, " process cwd", "\"/w\"");
	check_one(IMAGE(RUN ",\"WorkingDir\":\"/w\""), &empty, " process cwd", "\"/w\"");
	check_one(IMAGE(RUN ",\"WorkingDir\":\"w\""), &moved, " process cwd", "\"/over\"");
}

static void check_refused(const char *image, const struct oci_overrides *over, const char *field,
			  const char *why)
{
	struct failure f = {0};
	json_t *root = convert(image, over, &f);

	CHECK(!root);
	CHECK_STR(f.field, field);
	CHECK_STR(f.why, why);
}

static void refusals(void)
{
	static const struct oci_overrides none, nothing = {.has_entrypoint = true};
	static const struct oci_overrides relative = {.working_dir = "r/s"};
	static const char empty[] = "the image has neither Entrypoint nor Cmd: say what to run";

	check_refused(IMAGE(""), &none, "", empty);
	check_refused(IMAGE("\"Entrypoint\":[],\"Cmd\":[]"), &none, "", empty);
	check_refused(IMAGE("\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]"), &nothing, "", empty);
	check_refused(IMAGE(RUN ",\"WorkingDir\":\"w\""), &none, "/config/WorkingDir",
		      "w: must be an absolute path");
	check_refused(IMAGE(RUN), &relative, "/config/WorkingDir", "r/s: must be an absolute path");
}

static void no_memory(void)
{
	struct arena *arena = arena_create(OCI_IMAGE_HEAP_BYTES);
	static const struct oci_overrides none;
	struct oci_image_config config;
	struct failure f = {0};
	char *text = NULL;
	size_t length;

	CHECK_INT(oci_image_config_parse(arena, "i", IMAGE(RUN), strlen(IMAGE(RUN)), &config, &f),
		  0);
	is_refused = true;
	CHECK_INT(oci_run_config(&config, &none, &text, &length, &f), -1);
	CHECK_STR(f.why, "out of memory");
	CHECK(!text && !is_refused);
	arena_destroy(arena);
}

#define BIT(n) (UINT64_C(1) << (n))

static void capabilities(void)
{
	static const struct oci_overrides none, all = {.capabilities_add = (UINT64_C(1) << 41) - 1};
	static const struct oci_overrides one = {.capabilities_drop = UINT64_MAX,
						 .capabilities_add = BIT(CAP_SYS_ADMIN)};
	static const struct oci_overrides less = {.capabilities_drop =
							  BIT(CAP_CHOWN) | BIT(CAP_KILL)};
	static const struct oci_overrides empty = {.capabilities_drop = UINT64_MAX};
	static const struct oci_overrides most = {.capabilities_add = (UINT64_C(1) << 41) - 1,
						  .capabilities_drop =
							  BIT(CAP_NET_RAW) | BIT(CAP_CHOWN)};
	static const char *const sets[] = {" process capabilities bounding",
					   " process capabilities effective",
					   " process capabilities permitted"};
	struct failure f = {0};
	json_t *root;

	for (size_t i = 0; i < COUNT(sets); i++) {
		check_one(IMAGE(RUN), &none, sets[i],
			  "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_"
			  "KILL\","
			  "\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\","
			  "\"CAP_SYS_CHROOT\",\"CAP_SETFCAP\"]");
		check_one(IMAGE(RUN), &one, sets[i], "[\"CAP_SYS_ADMIN\"]");
		check_one(IMAGE(RUN), &empty, sets[i], "[]");
		check_one(IMAGE(RUN), &less, sets[i],
			  "[\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\","
			  "\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\","
			  "\"CAP_SYS_CHROOT\",\"CAP_SETFCAP\"]");
	}
	check_one(IMAGE(RUN), &none, " process capabilities inheritable", "(absent)");
	check_one(IMAGE(RUN), &none, " process capabilities ambient", "(absent)");
	root = convert(IMAGE(RUN), &all, &f);
	CHECK_INT(json_array_size(json_object_get(
			  json_object_get(json_object_get(root, "process"), "capabilities"),
			  "bounding")),
		  41);
	json_decref(root);
	root = convert(IMAGE(RUN), &most, &f);
	CHECK_INT(json_array_size(json_object_get(
			  json_object_get(json_object_get(root, "process"), "capabilities"),
			  "bounding")),
		  39);
	json_decref(root);
}

#define LIMIT(name, soft, hard) "{\"type\":\"RLIMIT_" name "\",\"soft\":" soft ",\"hard\":" hard "}"

static void limits(void)
{
	const struct oci_run_limit some[] = {
		{rlimit_find("RLIMIT_CORE"), 1, 2},
		{rlimit_find("RLIMIT_NOFILE"), 3, 4},
		{rlimit_find("RLIMIT_CORE"), 5, 6},
	};
	const struct oci_overrides none = {0}, over = {.limits = some, .limit_count = COUNT(some)};

	check_one(
		IMAGE(RUN), &none, " process rlimits",
		"[" LIMIT("NOFILE", "1048576", "1048576") "," LIMIT("NPROC", "32768", "32768") "]");
	check_one(IMAGE(RUN), &over, " process rlimits",
		  "[" LIMIT("NPROC", "32768",
			    "32768") "," LIMIT("NOFILE", "3", "4") "," LIMIT("CORE", "5", "6") "]");
}

/* ---- annotations ------------------------------------------------------------------------------ */

#define STANDARD "org.opencontainers.image."
#define OS_ARCH  "\"" STANDARD "os\":\"linux\",\"" STANDARD "architecture\":\"arm64\""

static const struct oci_pair own_pairs[] = {{"k", "1"}, {"a", "2"}, {"k", "3"}};
static const struct oci_pair user_pair[] = {{OCI_ANNOTATION_USER, "7"}};

static void annotations(void)
{
	const struct {
		const char *image;
		struct oci_overrides over;
		const char *want;
	} rows[] = {
		{IMAGE(RUN), {0}, "{" OS_ARCH "}"},
		{"{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\",\"author\":"
		 "\"me\","
		 "\"created\":\"now\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},\"config\":{"
		 "\"Cmd\":[\"c\"],\"StopSignal\":\"INT\",\"User\":\"u:g\","
		 "\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}}}}",
		 {0},
		 "{" OS_ARCH ",\"" STANDARD "variant\":\"v8\",\"" STANDARD
		 "author\":\"me\",\"" STANDARD "created\":\"now\",\"" STANDARD
		 "stopSignal\":\"INT\",\"" STANDARD
		 "exposedPorts\":\"80/tcp,53/udp\",\"dev.supermachine.user\":\"u:g\"}"},
		{IMAGE(RUN ",\"StopSignal\":\"INT\",\"User\":\"u\""),
		 {.stop_signal = "USR1", .user = "5:6"},
		 "{" OS_ARCH ",\"" STANDARD
		 "stopSignal\":\"USR1\",\"dev.supermachine.user\":\"5:6\"}"},
		/* A label of the same name is what the image's author meant; the command line knows better. */
		{IMAGE(RUN ",\"StopSignal\":\"INT\",\"Labels\":{\"" STANDARD
			   "stopSignal\":\"HUP\",\"" STANDARD "os\":\"x\"}"),
		 {0},
		 "{\"" STANDARD "architecture\":\"arm64\",\"" STANDARD
		 "stopSignal\":\"HUP\",\"" STANDARD "os\":\"x\"}"},
		{IMAGE(RUN ",\"Labels\":{\"" STANDARD "stopSignal\":\"HUP\"}"),
		 {.stop_signal = "USR1"},
		 "{" OS_ARCH ",\"" STANDARD "stopSignal\":\"USR1\"}"},
		{IMAGE(RUN ",\"Labels\":{\"k\":\"v\",\"\":\"x\",\"o\":{},\"dev.supermachine.verity."
			   "000\":\"x\","
			   "\"dev.supermachine.user\":\"0\",\"dev.supermachine\":\"y\"}"),
		 {0},
		 "{" OS_ARCH ",\"k\":\"v\",\"o\":\"\",\"dev.supermachine\":\"y\"}"},
		{IMAGE(RUN ",\"Labels\":{\"k\":\"v\",\"l\":\"w\"}"),
		 {.annotations = own_pairs, .annotation_count = COUNT(own_pairs)},
		 "{" OS_ARCH ",\"l\":\"w\",\"a\":\"2\",\"k\":\"3\"}"},
		{IMAGE(RUN ",\"User\":\"u\""),
		 {.annotations = user_pair, .annotation_count = 1},
		 "{" OS_ARCH ",\"dev.supermachine.user\":\"7\"}"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		check_one(rows[i].image, &rows[i].over, " annotations", rows[i].want);
}

/* "USER:GROUP" with a part that is empty. */
static void user_forms(void)
{
	static const struct {
		const char *words;
		const char *want; /* NULL: no annotation */
	} rows[] = {
		{"web", "\"web\""}, {"web:", "\"web\""}, {":web", "\"0:web\""},
		{"7:8", "\"7:8\""}, {"", NULL},          {":", NULL},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct oci_overrides over = {.user = rows[i].words};
		char image[512];
		char want[512];

		snprintf(want, sizeof(want),
			 rows[i].want ? "{" OS_ARCH ",\"dev.supermachine.user\":%s}"
				      : "{" OS_ARCH "}",
			 rows[i].want);
		snprintf(image, sizeof(image), IMAGE(RUN ",\"User\":\"%s\""), rows[i].words);
		check_one(image, &(struct oci_overrides){.user = NULL}, " annotations", want);
		if (rows[i].words[0])
			check_one(IMAGE(RUN), &over, " annotations", want);
	}
}

/* As many ports as have room, none cut. */
static void many_ports(void)
{
	static char image[4096];
	static const struct oci_overrides none;
	struct failure f = {0};
	size_t used = 0;
	const char *ports;
	json_t *root;

	used += (size_t)snprintf(image, sizeof(image), IMAGE(RUN ",\"ExposedPorts\":{"));
	used = (size_t)(strstr(image, "ExposedPorts\":{") + 15 - image);
	for (unsigned i = 0; i < 200; i++)
		used += (size_t)snprintf(image + used, sizeof(image) - used, "%s\"%u/tcp\":{}",
					 i ? "," : "", 10000 + i);
	snprintf(image + used, sizeof(image) - used, "}}}");
	root = convert(image, &none, &f);
	ports = json_string_value(
		json_object_get(json_object_get(root, "annotations"), STANDARD "exposedPorts"));
	CHECK(ports && strlen(ports) == 1019);
	CHECK(ports && !strcmp(ports + 1019 - 9, "10101/tcp"));
	json_decref(root);
}

static const struct t_case cases[] = {
	{"args", args},
	{"environment", environment},
	{"place", place},
	{"refusals", refusals},
	{"no memory", no_memory},
	{"capabilities", capabilities},
	{"limits", limits},
	{"annotations", annotations},
	{"many ports", many_ports},
	{"user forms", user_forms},
};
T_MAIN("run_config", cases)
