"""EventBridge Scheduler: what fires by the clock."""
