"""Lambda functions that run on this machine, and what calls them: clients, queues, events and schedules.

moto keeps their records; here they become processes.
"""
