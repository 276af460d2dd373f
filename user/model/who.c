/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and ends of processes as text. */
#include "model/who.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/jsonw.h"

static bool is_ipv4(const struct net_addr *a, const uint8_t **ret_ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:0:0/96 */
	bool is_mapped = a->family == AF_INET6 && memcmp(a->ip, mapped, sizeof(mapped)) == 0;

	*ret_ip = a->ip + (is_mapped ? sizeof(mapped) : 0);
	return a->family == AF_INET || is_mapped;
}

void net_addr_ip(const struct net_addr *a, char ret_s[64])
{
	const uint8_t *ip;

	ret_s[0] = '\0';
	if (is_ipv4(a, &ip))
		inet_ntop(AF_INET, ip, ret_s, 64);
	else if (a->family == AF_INET6)
		inet_ntop(AF_INET6, ip, ret_s, 64);
}

void net_addr_show(const struct net_addr *a, char ret_s[64])
{
	const uint8_t *bytes;
	char ip[64];

	net_addr_ip(a, ip);
	ret_s[0] = '\0';
	if (is_ipv4(a, &bytes))
		snprintf(ret_s, 64, "%.46s:%u", ip, a->port);
	else if (a->family == AF_INET6)
		snprintf(ret_s, 64, "[%.46s]:%u", ip, a->port);
}

const char *who_name(const char *self, const struct who *who, const struct net_addr *a, char addr[64])
{
	const char *base;

	if (self)
		return self;
	if (who && who->exe[0]) {
		base = strrchr(who->exe, '/');
		return base && base[1] ? base + 1 : who->exe;
	}
	if (who && who->comm[0])
		return who->comm;
	net_addr_show(a, addr);
	return addr[0] ? addr : NULL;
}
