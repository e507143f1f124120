"""What deploy_endpoint is made of, beside the decision: zipped with it."""
