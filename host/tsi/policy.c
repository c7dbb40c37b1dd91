// SPDX-License-Identifier: Apache-2.0
/*
 * What the guest may reach. An address is judged as what it is in the end: an IPv4 address that is
 * mapped into IPv6 is that IPv4 address.
 */
#include "host/tsi/muxer.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <arpa/inet.h>

enum scope {
	SCOPE_LOOPBACK = 1,
	SCOPE_LINK_LOCAL,
	SCOPE_GROUP, /* multicast and broadcast */
};

static const struct {
	uint32_t prefix;
	uint32_t mask;
	enum scope scope;
} inet_scopes[] = {
	{0x00000000, 0xff000000, SCOPE_LOOPBACK}, /* 0.0.0.0 is this host */
	{0x7f000000, 0xff000000, SCOPE_LOOPBACK},
	{0xa9fe0000, 0xffff0000, SCOPE_LINK_LOCAL}, /* and what clouds serve there */
	{0xe0000000, 0xf0000000, SCOPE_GROUP},
	{0xffffffff, 0xffffffff, SCOPE_GROUP},
};

static int scope_of_inet(uint32_t address)
{
	for (size_t i = 0; i < sizeof(inet_scopes) / sizeof(inet_scopes[0]); i++)
		if ((address & inet_scopes[i].mask) == inet_scopes[i].prefix)
			return inet_scopes[i].scope;
	return 0;
}

static int scope_of_inet6(const struct in6_addr *address)
{
	uint32_t last;

	memcpy(&last, address->s6_addr + 12, sizeof(last));
	if (IN6_IS_ADDR_V4MAPPED(address))
		return scope_of_inet(ntohl(last));
	if (IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address))
		return SCOPE_LOOPBACK;
	if (IN6_IS_ADDR_LINKLOCAL(address))
		return SCOPE_LINK_LOCAL;
	return IN6_IS_ADDR_MULTICAST(address) ? SCOPE_GROUP : 0;
}

bool policy_parse(const struct tsi_address *address, uint16_t family, struct sockaddr_storage *ret,
		  socklen_t *ret_length)
{
	uint32_t length = family == AF_INET6 ? TSI_LENGTH_INET6 : TSI_LENGTH_INET;

	memset(ret, 0, sizeof(*ret));
	if (address->length != length)
		return false;
	memcpy(ret, address->bytes, length);
	*ret_length = length;
	return ret->ss_family == family;
}

int policy_check(const struct tsi_policy *policy, const struct sockaddr_storage *address)
{
	const struct sockaddr_in *inet = (const void *)address;
	const struct sockaddr_in6 *inet6 = (const void *)address;
	int scope = address->ss_family == AF_INET6 ? scope_of_inet6(&inet6->sin6_addr)
						   : scope_of_inet(ntohl(inet->sin_addr.s_addr));

	if (policy->refusal)
		return -policy->refusal;
	switch (scope) {
	case SCOPE_LOOPBACK:
		/* As the guest's own loopback answers where nobody listens. */
		return policy->allows_loopback ? 0 : -ECONNREFUSED;
	case SCOPE_LINK_LOCAL:
		return policy->allows_link_local ? 0 : -EACCES;
	case SCOPE_GROUP:
		return -ENETUNREACH;
	default:
		return 0;
	}
}

uint16_t policy_port(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *inet = (const void *)address;
	const struct sockaddr_in6 *inet6 = (const void *)address;

	return ntohs(address->ss_family == AF_INET6 ? inet6->sin6_port : inet->sin_port);
}
