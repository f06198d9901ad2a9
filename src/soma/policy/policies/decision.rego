# The one answer that the engine asks for: data.soma.decision = {"allow": boolean, "reasons": [sentence]}.
# It must have a value for every input; without one the engine denies.
#
# Allowed is only what is proved. The denials explain; they do not decide.
package soma

import rego.v1

import data.soma.memory
import data.soma.requests
import data.soma.tools

decision := {"allow": true, "reasons": ["soma.decision: every rule that this action needs is proved."]} if {
	requests.proved
	proved_for_tool
	proved_for_memory
}

else := {"allow": false, "reasons": denials}

proved_for_tool if input.action != "tool:execute"

proved_for_tool if tools.proved

proved_for_memory if input.action != "memory:remember"

proved_for_memory if memory.proved

denials contains reason if some reason in requests.denials

denials contains reason if {
	input.action == "tool:execute"
	some reason in tools.denials
}

denials contains reason if {
	input.action == "memory:remember"
	some reason in memory.denials
}
