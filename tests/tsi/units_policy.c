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

static void addresses(void)
{
	static const struct tsi_policy standard;
	static const struct tsi_policy open_policy = {.allows_loopback = true,
						      .allows_link_local = true};
	static const struct {
		uint16_t family;
		const char *address;
		int standard;
		int open_result;
	} rows[] = {
		{AF_INET, "192.0.2.1", 0, 0},
		{AF_INET, "10.0.0.1", 0, 0},
		{AF_INET, "126.255.255.255", 0, 0},
		{AF_INET, "127.0.0.1", -ECONNREFUSED, 0},
		{AF_INET, "127.255.255.254", -ECONNREFUSED, 0},
		{AF_INET, "0.0.0.0", -ECONNREFUSED, 0},
		{AF_INET, "0.1.2.3", -ECONNREFUSED, 0},
		{AF_INET, "169.254.169.254", -EACCES, 0},
		{AF_INET, "224.0.0.1", -ENETUNREACH, -ENETUNREACH},
		{AF_INET, "255.255.255.255", -ENETUNREACH, -ENETUNREACH},
		{AF_INET6, "2001:db8::1", 0, 0},
		{AF_INET6, "::1", -ECONNREFUSED, 0},
		{AF_INET6, "::", -ECONNREFUSED, 0},
		{AF_INET6, "fe80::1", -EACCES, 0},
		{AF_INET6, "febf::1", -EACCES, 0},
		{AF_INET6, "ff02::1", -ENETUNREACH, -ENETUNREACH},
		{AF_INET6, "::ffff:127.0.0.1", -ECONNREFUSED, 0},
		{AF_INET6, "::ffff:169.254.0.1", -EACCES, 0},
		{AF_INET6, "::ffff:192.0.2.1", 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_INT(connect_result(rows[i].family, rows[i].address, &standard),
			  rows[i].standard);
		CHECK_INT(connect_result(rows[i].family, rows[i].address, &open_policy),
			  rows[i].open_result);
	}
}

static const struct t_case cases[] = {
	{"addresses", addresses},
};

int policy_units(void)
{
	return t_run("tsi-policy", cases, sizeof(cases) / sizeof(cases[0]));
}
