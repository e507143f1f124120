"""An AWS account in memory for the functions around the endpoint, with AWS's states, refusals and faults."""
