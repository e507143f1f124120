"""Lambda functions that run on this machine; moto keeps their configuration, and here they become processes.

execution_environment.py is one process, which runs bootstrap.py; environment_pool.py keeps processes; invoker.py
invokes functions. async_invocations.py and event_source_mappings.py invoke them for queued events and for SQS.
"""
