// SPDX-License-Identifier: Apache-2.0
/* Which addresses the guest may reach. */
#include <errno.h>
#include <netinet/in.h>

#include <arpa/inet.h>

#include "tests/t.h"
#include "tests/tsi/units.h"

static int connect_result(uint16_t family, const char *address, const struct tsi_policy *policy)
{
	struct tsi_address wire = {0};
	struct sockaddr_in inet = {.sin_family = AF_INET};
	struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6};
	struct sockaddr_storage parsed;
	socklen_t length;

	if (family == AF_INET) {
		CHECK_INT(inet_pton(family, address, &inet.sin_addr), 1);
		memcpy(wire.bytes, &inet, sizeof(inet));
		wire.length = sizeof(inet);
	} else {
		CHECK_INT(inet_pton(family, address, &inet6.sin6_addr), 1);
		memcpy(wire.bytes, &inet6, sizeof(inet6));
		wire.length = sizeof(inet6);
	}
	CHECK(policy_parse(&wire, family, &parsed, &length));
	CHECK(!policy_parse(&wire, family == AF_INET ? AF_INET6 : AF_INET, &parsed, &length));
	CHECK(policy_parse(&wire, family, &parsed, &length));
	return policy_check(policy, &parsed);
}

enum scope { OPEN, LOCAL, LINK, GROUP };

/* What is beside each range, its ends, and one within. */
static const struct {
	uint16_t family;
	const char *address;
	enum scope scope;
} rows[] = {
	{AF_INET, "0.0.0.0", LOCAL},
	{AF_INET, "0.1.2.3", LOCAL},
	{AF_INET, "0.255.255.255", LOCAL},
	{AF_INET, "1.0.0.0", OPEN},
	{AF_INET, "10.0.0.1", OPEN},
	{AF_INET, "126.255.255.255", OPEN},
	{AF_INET, "127.0.0.0", LOCAL},
	{AF_INET, "127.0.0.1", LOCAL},
	{AF_INET, "127.0.0.53", LOCAL},
	{AF_INET, "127.255.255.255", LOCAL},
	{AF_INET, "128.0.0.0", OPEN},
	{AF_INET, "169.253.255.255", OPEN},
	{AF_INET, "169.254.0.0", LINK},
	{AF_INET, "169.254.169.254", LINK},
	{AF_INET, "169.254.255.255", LINK},
	{AF_INET, "169.255.0.0", OPEN},
	{AF_INET, "192.0.2.1", OPEN},
	{AF_INET, "223.255.255.255", OPEN},
	{AF_INET, "224.0.0.0", GROUP},
	{AF_INET, "239.255.255.255", GROUP},
	{AF_INET, "240.0.0.0", OPEN}, /* which the host's kernel refuses */
	{AF_INET, "255.255.255.254", OPEN},
	{AF_INET, "255.255.255.255", GROUP},
	{AF_INET6, "::", LOCAL},
	{AF_INET6, "::1", LOCAL},
	{AF_INET6, "::2", OPEN},
	{AF_INET6, "1::", OPEN},
	{AF_INET6, "2001:db8::1", OPEN},
	{AF_INET6, "fd00::1", OPEN},
	{AF_INET6, "fe7f:ffff::1", OPEN},
	{AF_INET6, "fe80::", LINK},
	{AF_INET6, "fe80::1", LINK},
	{AF_INET6, "febf:ffff::1", LINK},
	{AF_INET6, "fec0::1", OPEN},
	{AF_INET6, "feff::1", OPEN},
	{AF_INET6, "ff00::", GROUP},
	{AF_INET6, "ff02::1", GROUP},
	{AF_INET6, "::ffff:0.0.0.0", LOCAL},
	{AF_INET6, "::ffff:127.0.0.1", LOCAL},
	{AF_INET6, "::ffff:127.255.255.255", LOCAL},
	{AF_INET6, "::ffff:169.254.169.254", LINK},
	{AF_INET6, "::ffff:192.0.2.1", OPEN},
	{AF_INET6, "::ffff:224.0.0.1", GROUP},
	{AF_INET6, "::ffff:255.255.255.255", GROUP},
	/* Not mapped, and nobody's: routers would have to know such a net. */
	{AF_INET6, "::fffe:127.0.0.1", OPEN},
	{AF_INET6, "1::ffff:127.0.0.1", OPEN},
};

/* Each by what no policy, the one of the loopback and the one of the link make of it. */
static void addresses(void)
{
	static const struct tsi_policy policies[] = {
		{.allows_loopback = false},
		{.allows_loopback = true},
		{.allows_link_local = true},
		{.allows_loopback = true, .allows_link_local = true},
	};
	static const int results[][4] = {
		[OPEN] = {0, 0, 0, 0},
		[LOCAL] = {-ECONNREFUSED, 0, -ECONNREFUSED, 0},
		[LINK] = {-EACCES, -EACCES, 0, 0},
		[GROUP] = {-ENETUNREACH, -ENETUNREACH, -ENETUNREACH, -ENETUNREACH},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t j = 0; j < sizeof(policies) / sizeof(policies[0]); j++) {
			CHECK_INT(connect_result(rows[i].family, rows[i].address, &policies[j]),
				  results[rows[i].scope][j]);
			if (t_why[0])
				return (void)printf("# %s, policy %zu\n", rows[i].address, j);
		}
}

/* One that refuses all refuses what else would be free, and with its own error. */
static void a_refusal(void)
{
	static const struct tsi_policy policy = {
		.refusal = EACCES, .allows_loopback = true, .allows_link_local = true};
	static const char *const texts[] = {"192.0.2.1", "127.0.0.1", "224.0.0.1"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CHECK_INT(connect_result(AF_INET, texts[i], &policy), -EACCES);
}

/* Lengths and families that do not fit are no address. */
static void what_is_no_address(void)
{
	static const uint32_t lengths[] = {0,   2,         sizeof(struct sockaddr_in) - 1,
					   17,  27,        sizeof(struct sockaddr_in6) + 1,
					   128, UINT32_MAX};
	struct sockaddr_in inet = {.sin_family = AF_INET};
	struct tsi_address wire = {0};
	struct sockaddr_storage parsed;
	socklen_t length;

	memcpy(wire.bytes, &inet, sizeof(inet));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		wire.length = lengths[i];
		CHECK(!policy_parse(&wire, AF_INET, &parsed, &length));
		CHECK(!policy_parse(&wire, AF_INET6, &parsed, &length));
	}
	wire.length = sizeof(inet);
	CHECK(policy_parse(&wire, AF_INET, &parsed, &length));
	wire.bytes[0] = AF_UNIX;
	CHECK(!policy_parse(&wire, AF_INET, &parsed, &length));
	wire.bytes[0] = AF_INET6;
	CHECK(!policy_parse(&wire, AF_INET, &parsed, &length));
}

static const struct t_case cases[] = {
	{"addresses", addresses},
	{"a-refusal", a_refusal},
	{"what-is-no-address", what_is_no_address},
};

int policy_units(void)
{
	return t_run("tsi-policy", cases, sizeof(cases) / sizeof(cases[0]));
}
