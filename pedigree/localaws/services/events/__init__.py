"""EventBridge: rules.py matches events with patterns.py; deliveries.py retries until they reach targets.py."""
