"""What an execution is: its documents, its schedule, and what its expressions resolve to. Nothing here runs a step."""
