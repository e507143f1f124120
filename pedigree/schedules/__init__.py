"""Schedule expressions of EventBridge Scheduler: parsing, and the times at which they fire."""
