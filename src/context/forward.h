/*-------------------------------------------------------------------------
 *
 * forward.h
 *		Take the tenant context along to the other servers of a cluster.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_FORWARD_H
#define DBKIT_FORWARD_H

#include "nodes/nodes.h"

extern void dbkit_forward_context(const char *user_id, const char *organization_id);
extern bool dbkit_is_forwarding(void);
extern bool dbkit_is_forwarded_context(Node *statement);
extern void dbkit_receive_context(Node *statement);
extern void dbkit_forward_init(void);

#endif							/* DBKIT_FORWARD_H */
