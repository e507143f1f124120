"""EventBridge Scheduler: scheduler.py fires what is due, triggers.py knows when that is."""
