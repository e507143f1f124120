"""SQS: moto's queues, and waiting for messages."""
