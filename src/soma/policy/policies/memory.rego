# What remembering (action "memory:remember") needs beyond requests.rego. It is asked once for a batch.
#
# input.resource: {tenant_id, namespaces: [name], kinds: [kind of utterance or document]}
# input.context:  {treatments: {class of personal data: "store", "hash" or "refuse"}}
#
# Tables in data.json: memory.any_namespace (roles that write beyond their own namespaces), memory.kinds (which
# kinds a role may write, "*" for every one), memory.never_plain (classes that may not be stored as they are).
package soma.memory

import rego.v1

# A user's namespaces are their id, and those that begin with it and a colon.
own(namespace) if namespace == input.principal.user_id

own(namespace) if {
	is_string(namespace)
	startswith(namespace, concat(":", [input.principal.user_id, ""]))
}

reaches_all if {
	some role in input.principal.roles
	data.memory.any_namespace[role]
}

reached(_) if reaches_all

reached(namespace) if own(namespace)

beyond contains namespace if {
	some namespace in input.resource.namespaces
	not reached(namespace)
}

# In an array: "some" would take the values of an object as well.
namespaces_reached if {
	is_array(input.resource.namespaces)
	count(input.resource.namespaces) > 0
	count(beyond) == 0
}

granted(_) if {
	some role in input.principal.roles
	data.memory.kinds[role]["*"]
}

granted(kind) if {
	some role in input.principal.roles
	data.memory.kinds[role][kind]
}

barred contains kind if {
	some kind in input.resource.kinds
	not granted(kind)
}

kinds_granted if {
	is_array(input.resource.kinds)
	count(input.resource.kinds) > 0
	count(barred) == 0
}

treated(class) if input.context.treatments[class] == "hash"

treated(class) if input.context.treatments[class] == "refuse"

plain contains class if {
	some class, kept in data.memory.never_plain
	kept == true
	not treated(class)
}

personal_data_treated if {
	is_object(input.context.treatments)
	count(plain) == 0
}

proved if {
	namespaces_reached
	kinds_granted
	personal_data_treated
}

denials contains "memory.namespaces_reached: a namespace is not the caller's." if not namespaces_reached

denials contains "memory.kinds_granted: no role of the caller may write a memory of this kind." if not kinds_granted

denials contains "memory.personal_data_treated: the setting would store what may not be stored as it is." if not personal_data_treated
