"""The parts of deploy_endpoint other than its decisions; zipped with it."""
