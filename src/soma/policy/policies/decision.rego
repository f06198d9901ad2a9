# The one answer that the engine asks for: data.soma.decision = {"allow": boolean, "reasons": [sentence]}.
# It must have a value for every input; without one the engine denies.
#
# Allowed is only what is proved. The denials explain; they do not decide.
package soma

import rego.v1

import data.soma.requests
import data.soma.tools

decision := {"allow": true, "reasons": ["soma.decision: every rule that this action needs is proved."]} if {
	requests.proved
	proved_for_tool
}

else := {"allow": false, "reasons": denials}

proved_for_tool if input.action != "tool:execute"

proved_for_tool if tools.proved

denials contains reason if some reason in requests.denials

denials contains reason if {
	input.action == "tool:execute"
	some reason in tools.denials
}
