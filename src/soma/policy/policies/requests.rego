# What every action needs, a tool's too: a role that grants it, the caller's own tenant, and ownership.
#
# Each rule here proves something. One that cannot be proved (a field is missing, or of another type) is
# undefined, and an undefined rule never allows.
package soma.requests

import rego.v1

# A role grants an action by its name, or every action of an area (both tables are in data.json).
role_grants if {
	some role in input.principal.roles
	data.roles[role][input.action]
}

role_grants if {
	some role in input.principal.roles
	some prefix in data.areas[role]
	startswith(input.action, prefix)
}

# The resource names its tenant, and it is the caller's.
same_tenant if input.resource.tenant_id == input.principal.tenant_id

# A resource without an owner belongs to the tenant.
within_reach if object.get(input.resource, "owner_id", input.principal.user_id) == input.principal.user_id

# Some roles reach what another user of their tenant owns.
within_reach if {
	some role in input.principal.roles
	data.beyond_own[role]
}

# Relations give the caller a permission on this very thing, and it is one that this action stands on. Only
# the tier that asks relations first says so.
within_reach if data.permits[input.action][input.resource.permission]

proved if {
	role_grants
	same_tenant
	within_reach
}

denials contains "requests.role_grants: no role of the caller grants this action." if not role_grants

denials contains "requests.same_tenant: the resource is not of the caller's tenant." if not same_tenant

denials contains "requests.within_reach: the resource belongs to another user." if not within_reach
