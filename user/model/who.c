/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text. */
#include "model/who.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void net_addr_show(const struct net_addr *a, char ret_s[64])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:0:0/96 */
	bool is_mapped = a->family == AF_INET6 && memcmp(a->ip, mapped, sizeof(mapped)) == 0;
	char ip[INET6_ADDRSTRLEN] = "";

	ret_s[0] = '\0';
	if (a->family == AF_INET || is_mapped) {
		inet_ntop(AF_INET, is_mapped ? a->ip + sizeof(mapped) : a->ip, ip, sizeof(ip));
		snprintf(ret_s, 64, "%s:%u", ip, a->port);
	} else if (a->family == AF_INET6) {
		inet_ntop(AF_INET6, a->ip, ip, sizeof(ip));
		snprintf(ret_s, 64, "[%s]:%u", ip, a->port);
	}
}
