# What a tool call (action "tool:execute") needs beyond requests.rego.
#
# input.resource: {tenant_id, tool, enabled, roles (optional: the only roles that may call the tool)}
# input.context:  {capabilities: the capsule's tool names, iteration: from 0, max_iterations}
package soma.tools

import rego.v1

# The capsule lists the tool. In an array: "in" would search the values of an object as well.
listed if {
	is_array(input.context.capabilities)
	input.resource.tool in input.context.capabilities
}

enabled if input.resource.enabled == true

# Numbers only: "<" orders any two values, each engine in its own way. And no difference of the two: engines
# differ in how they round one of fractions.
iterations_left if {
	is_number(input.context.iteration)
	is_number(input.context.max_iterations)
	input.context.iteration < input.context.max_iterations
}

# A tool that names no roles accepts whoever may call tools at all.
role_accepted if {
	accepted := object.get(input.resource, "roles", input.principal.roles)
	is_array(accepted)
	some role in input.principal.roles
	role in accepted
}

proved if {
	listed
	enabled
	iterations_left
	role_accepted
}

denials contains "tools.listed: the capsule does not list this tool." if not listed

denials contains "tools.enabled: the tool is switched off." if not enabled

denials contains "tools.iterations_left: the turn has no iteration left." if not iterations_left

denials contains "tools.role_accepted: the tool does not accept the caller's roles." if not role_accepted
