"""EventBridge: rules, patterns and targets, and deliveries that are tried until they arrive."""
