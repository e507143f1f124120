"""The services that only keep records (IAM, STS, SQS, Lambda's functions, EventBridge, …): moto's, made to last."""
